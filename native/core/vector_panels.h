#pragma once
// Products with rows, as a layer makes them on its way forward and back: one panel of the weights after another is laid out in
// the nearest cache, and all rows meet it there.
#include "vector_product.h"
#include "vector_transpose.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// Weights up to which `product` is faster than OpenBLAS's. By AVX2, one thread, against its kernel Zen, which lays out the rows
// too: 128 rows of 196 by 784 in 0.86 of its time, and on the way back in 0.92. With 1000 by 1000 weights both spend as much on
// laying out, and training was up to 4% slower. Without wide vectors only small layers were measured.
constexpr std::size_t kMostProductWeights = kFused && LAYERWISE_VECTOR_BYTES >= 32 ? 1 << 18 : 4096;

// Rows of a panel that are laid out at a time. It may take all of the nearest cache, for it is read in order: 26 KiB were slower.
template <typename T>
constexpr int kSliceRows = 32 * 1024 / (kPanel * LAYERWISE_VECTOR_BYTES);

// Panels after which the next slice comes: so many of the result are read and written again while they are in the second cache.
constexpr int kPanelsAtOnce = 4;

// Rows from … of panel p of op(m).
template <typename T>
LAYERWISE_INLINE void lay_out(Transpose trans, MatrixView<const T> m, const Panels<T>& panels, int p, int from, int rows,
                              T* out) {
  const int begin = panels.begin(p), width = panels.width(p), columns = panels.columns_in(p);
  const MatrixView<T> to(out, rows, width);
  if (trans == Transpose::yes) {
    turn_over<false>(m.block(begin, from, columns, rows), to.block(0, 0, rows, columns));
    for (int k = 0; k < rows && columns < width; k++) std::fill(to.row(k) + columns, to.row(k) + width, T(0));
  } else {
    panels.with_part(p, [&](auto vectors, auto part) LAYERWISE_INLINE_LAMBDA {
      constexpr int kVectors = decltype(vectors)::value;
      const T* row = m.row(from) + begin;
      for (int k = 0; k < rows; k++) {
        unrolled<kVectors>([&](auto w) LAYERWISE_INLINE_LAMBDA {
          store(out + (k * kVectors + w) * Lanes<T>::kCount, part.load(w, row + k * m.stride));
        });
      }
    });
  }
}

template <typename T>
void product(Transpose trans_b, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c) {
  alignas(64) T panel[kSliceRows<T> * kPanel * Lanes<T>::kCount];
  const Panels<T> panels(c.cols);
  const Cut slices = Cut::at_most(a.cols, kSliceRows<T>);
  for (int first = 0; first < panels.count(); first += kPanelsAtOnce) {
    const int end = std::min(first + kPanelsAtOnce, panels.count());
    for (int s = 0; s < slices.count; s++) {
      const int from = slices.begin(s), length = slices.length(s);
      for (int p = first; p < end; p++) {
        const int column = panels.begin(p);
        lay_out(trans_b, b, panels, p, from, length, panel);
        panels.with_part(p, [&](auto vectors, auto part) LAYERWISE_INLINE_LAMBDA {
          constexpr int kVectors = decltype(vectors)::value, kRows = kRowsBeside<kVectors>;
          for (int i = 0; i < c.rows; i += kRows) {
            const T* x = a.row(i) + from;
            with_count<kRows>(c.rows - i, [&](auto rows) LAYERWISE_INLINE_LAMBDA {
              multiply<decltype(rows)::value, kVectors>(
                  length, [&](int k) LAYERWISE_INLINE_LAMBDA { return x + k; }, a.stride,
                  [&](int k) LAYERWISE_INLINE_LAMBDA { return panel + k * (kVectors * Lanes<T>::kCount); },
                  RowPart<kVectors, T, Whole<T>>{}, s > 0, c.row(i) + column, c.stride, part);
            });
          }
        });
      }
    }
  }
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

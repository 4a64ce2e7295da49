#pragma once
// Products whose sums stay in registers, and one for layers of few weights: there a BLAS would take as long to pack its operands
// as to multiply them.
#include "kernels/lanes/registers.h"
#include "kernels/loops/transpose.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// Vectors of a panel.
constexpr int kPanel = 4;

// Available registers, and the sums kept in them: 16 registers hold twelve sums beside the operands, which is three rows of a
// panel and enough to hide the latency of a multiply-add. Twice as many sums halve the loads for each: on a Xeon with AVX-512
// twelve reach 0.55 of the processor's peak, 24 reach 0.8. (Arm has 32 registers too; not tried.)
constexpr int kRegisters = LAYERWISE_VECTOR_BYTES == 64 ? 32 : 16;
constexpr int kSums = kRegisters == 32 ? 24 : 12;

// `columns` cut into panels of at most kPanel vectors, all about as wide; the last vector may be incomplete.
template <typename T>
struct Panels {
  static constexpr int kLanes = Lanes<T>::kCount;

  explicit Panels(int columns) : columns(columns), cut(Cut::at_most((columns + kLanes - 1) / kLanes, kPanel)) {}
  int count() const { return cut.count; }
  int begin(int p) const { return cut.begin(p) * kLanes; }
  int width(int p) const { return cut.length(p) * kLanes; }  // whole vectors
  int columns_in(int p) const { return std::min(width(p), columns - begin(p)); }

  // body(part) with what loads and stores rows of panel p.
  template <typename Body>
  LAYERWISE_INLINE void with_part(int p, Body&& body) const {
    const int rest = p + 1 == cut.count ? columns % kLanes : 0;
    with_count<kPanel>(cut.length(p), [&](auto vectors) LAYERWISE_INLINE_LAMBDA {
      constexpr int kVectors = decltype(vectors)::value;
      if (rest == 0) return body(vectors, RowPart<kVectors, T, Whole<T>>{});
      body(vectors, RowPart<kVectors, T, Rest<T>>{Rest<T>(rest)});
    });
  }

  int columns;
  Cut cut;
};

// c [rows, width vectors] (+)= the sum over k < depth of x_k y_k^T.
//   x(k)  where x_k begins; from element to element it is `between` further
//   y(k)  where y_k begins, a row of y_part
//   c(r)  row r, of c_part
template <typename T, int rows, int width, typename X, typename Y, typename PartY, typename C, typename PartC>
LAYERWISE_INLINE void multiply(int depth, X x, std::size_t between, Y y, PartY y_part, bool add, C c, PartC c_part) {
  Registers<T, rows, width> sums;
  unrolled<rows>(
      [&](auto r) LAYERWISE_INLINE_LAMBDA { unrolled<width>([&](auto w) LAYERWISE_INLINE_LAMBDA { sums.at(r, w) = V<T>{}; }); });
  for (int k = 0; k < depth; k++) {
    const T *x_k = x(k), *y_k = y(k);
    const auto factor = [&](auto r) LAYERWISE_INLINE_LAMBDA { return all<T>(x_k[r * between]); };
    const auto add_to = [&](auto r, auto w, V<T> x, V<T> y) LAYERWISE_INLINE_LAMBDA { sums.at(r, w) = fma(x, y, sums.at(r, w)); };
    // One operand stays in registers (the part, if there is room for it), and the other is loaded element by element.
    if constexpr (rows < width && rows * width + width + 1 > kRegisters) {
      Registers<T, 1, rows> factors;
      unrolled<rows>([&](auto r) LAYERWISE_INLINE_LAMBDA { factors.at(r) = factor(r); });
      unrolled<width>([&](auto w) LAYERWISE_INLINE_LAMBDA {
        const V<T> part = y_part.load(w, y_k);
        unrolled<rows>([&](auto r) LAYERWISE_INLINE_LAMBDA { add_to(r, w, factors.at(r), part); });
      });
    } else {
      Registers<T, 1, width> parts;
      unrolled<width>([&](auto w) LAYERWISE_INLINE_LAMBDA { parts.at(w) = y_part.load(w, y_k); });
      unrolled<rows>([&](auto r) LAYERWISE_INLINE_LAMBDA {
        const V<T> x_r = factor(r);
        unrolled<width>([&](auto w) LAYERWISE_INLINE_LAMBDA { add_to(r, w, x_r, parts.at(w)); });
      });
    }
  }
  // Loading c before the sums would need registers: g++ then keeps half of the sums in memory.
  unrolled<rows>([&](auto r) LAYERWISE_INLINE_LAMBDA {
    T* to = c(r);
    unrolled<width>(
        [&](auto w) LAYERWISE_INLINE_LAMBDA { c_part.store(w, to, add ? c_part.load(w, to) + sums.at(r, w) : sums.at(r, w)); });
  });
}

// Rows of a product that are summed together, for a panel of this many vectors.
template <int vectors>
constexpr int kRowsBeside = std::min(kRegisters == 32 ? 8 : 6, kSums / vectors);

// c = a^T b, or c += a^T b. Rows of b are processed in parts that stay in the nearest cache.
template <typename T>
void outer_products(MatrixView<const T> a, MatrixView<const T> b, bool add, MatrixView<T> c) {
  constexpr int kSliceBytes = 16 * 1024, kShortestSlice = 32;
  const Cut slices = Cut::at_most(b.rows, std::max(kShortestSlice, kSliceBytes / (c.cols * static_cast<int>(sizeof(T)))));
  const Panels<T> panels(c.cols);
  for (int s = 0; s < slices.count; s++) {
    const T *a_slice = a.row(slices.begin(s)), *b_slice = b.row(slices.begin(s));
    for (int p = 0; p < panels.count(); p++) {
      const int column = panels.begin(p);
      panels.with_part(p, [&](auto vectors, auto part) LAYERWISE_INLINE_LAMBDA {
        constexpr int kVectors = decltype(vectors)::value, kRows = kRowsBeside<kVectors>;
        const auto with_rows_of_b = [&](auto part_of_b) LAYERWISE_INLINE_LAMBDA {
          for (int i = 0; i < c.rows; i += kRows) {
            with_count<kRows>(c.rows - i, [&](auto rows) LAYERWISE_INLINE_LAMBDA {
              multiply<T, decltype(rows)::value, kVectors>(
                  slices.length(s), [&](int k) LAYERWISE_INLINE_LAMBDA { return a_slice + k * a.stride + i; }, 1,
                  [&](int k) LAYERWISE_INLINE_LAMBDA { return b_slice + k * b.stride + column; }, part_of_b, add || s > 0,
                  [&](int r) LAYERWISE_INLINE_LAMBDA { return c.row(i + r) + column; }, part);
            });
          }
        };
        // If the rows of b are long enough, values after b's columns may be read: results for them are not stored.
        if (b.stride >= static_cast<std::size_t>(column + panels.width(p)))
          return with_rows_of_b(RowPart<kVectors, T, Whole<T>>{});
        with_rows_of_b(part);
      });
    }
  }
}

// Computes the transposed product if that leaves fewer lanes empty.
template <typename T>
void transposed_product(MatrixView<const T> a, MatrixView<const T> b, bool add, MatrixView<T> c) {
  constexpr int kMost = 4096, kLanes = Lanes<T>::kCount;
  const auto lanes = [](int rows, int columns) { return rows * ((columns + kLanes - 1) / kLanes); };
  if (c.rows * c.cols > kMost || lanes(c.rows, c.cols) <= lanes(c.cols, c.rows)) return outer_products(a, b, add, c);
  T transposed[kMost];
  const MatrixView<T> c_transposed(transposed, c.cols, c.rows);
  outer_products(b, a, false, c_transposed);
  add ? turn_over<true>(MatrixView<const T>(c_transposed), c) : turn_over<false>(MatrixView<const T>(c_transposed), c);
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#pragma once
// Products of rows and weights, forward and back: one panel of the weights after another is packed into the nearest cache and
// multiplied with all rows.
#include "kernels/loops/product.h"
#include "kernels/loops/transpose.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// Up to this many weights are in a near cache without a prefetch, which would cost 3% of a product.
constexpr std::size_t kNearWeights = 1 << 18;

// Rows of a panel that are packed at a time. They may fill the nearest cache, since they are read in order: 26 KiB were slower.
template <typename T>
constexpr int kSliceRows = 32 * 1024 / (kPanel * LAYERWISE_VECTOR_BYTES);

// The number of panels before the next slice: their part of the result is read and written again while it is in the second cache.
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

// Prefetches a part of a matrix, some rows in each of a number of calls, during other work. The processor does not predict the
// position of a panel's next slice, which is in memory or in another core's cache.
template <typename T>
class Ahead {
 public:
  Ahead(MatrixView<const T> part, int calls) : part_(part), at_once_((part.rows + calls - 1) / calls) {}

  LAYERWISE_INLINE void ask() {
    constexpr std::size_t kLine = 64, kSecondCache = 2;
    for (const int end = std::min(row_ + at_once_, part_.rows); row_ < end; row_++) {
      const char* begin = reinterpret_cast<const char*>(part_.row(row_));
      for (std::size_t b = 0; b < part_.cols * sizeof(T) + kLine; b += kLine) __builtin_prefetch(begin + b, 0, kSecondCache);
    }
  }

 private:
  MatrixView<const T> part_;
  int at_once_, row_ = 0;
};

// Up to this many columns after the last whole vector are computed one by one, each as a sum along rows of a: faster than a
// nearly empty vector.
constexpr int kMostStragglers = 2;

// Column `column` of c = a op(b), where a has no more columns than a slice.
template <typename T>
LAYERWISE_INLINE void straggler(Transpose trans_b, MatrixView<const T> a, MatrixView<const T> b, int column, MatrixView<T> c) {
  constexpr int kSide = sizeof(Short<T>) / sizeof(T);
  T weights[kSliceRows<T>];
  for (int k = 0; k < a.cols; k++) weights[k] = trans_b == Transpose::yes ? b.row(column)[k] : b.row(k)[column];
  for (int i = 0; i < c.rows; i += kSide) {
    const auto row = [&](int r) { return a.row(std::min(i + r, c.rows - 1)); };
    Registers<T, 1, kSide> sums;
    unrolled<kSide>([&](auto r) LAYERWISE_INLINE_LAMBDA { sums.at(r) = V<T>{}; });
    sweep<T>(a.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      const V<T> w = part.load(weights + j);
      unrolled<kSide>([&](auto r) LAYERWISE_INLINE_LAMBDA { sums.at(r) = fma(part.load(row(r) + j), w, sums.at(r)); });
    });
    Short<T> parts[kSide], total{};
    unrolled<kSide>([&](auto r) LAYERWISE_INLINE_LAMBDA { parts[r] = folded<T>(sums.at(r)); });
    turn<T>(parts);
    for (const Short<T>& part : parts) total += part;
    for (int r = 0; r < std::min(kSide, c.rows - i); r++) c.row(i + r)[column] = total[r];
  }
}

template <typename T>
void product(Transpose trans_b, MatrixView<const T> a, MatrixView<const T> b, MatrixView<T> c) {
  alignas(64) T panel[kSliceRows<T> * kPanel * Lanes<T>::kCount];
  const int rest = c.cols % Lanes<T>::kCount, stragglers = rest <= kMostStragglers && a.cols <= kSliceRows<T> ? rest : 0;
  for (int j = c.cols - stragglers; j < c.cols; j++) straggler(trans_b, a, b, j, c);
  const Panels<T> panels(c.cols - stragglers);
  const Cut slices = Cut::at_most(a.cols, kSliceRows<T>);
  // Slices of this many panels are processed in turn; the very last slice has no successor to prefetch.
  const auto part_after = [&](int p, int s) -> MatrixView<const T> {
    const int first = p / kPanelsAtOnce * kPanelsAtOnce, end = std::min(first + kPanelsAtOnce, panels.count());
    if (++p == end) {
      p = ++s == slices.count ? end : first;
      s %= slices.count;
    }
    if (p == panels.count()) return {};
    const int column = panels.begin(p), columns = panels.columns_in(p), from = slices.begin(s), length = slices.length(s);
    return trans_b == Transpose::yes ? b.block(column, from, columns, length) : b.block(from, column, length, columns);
  };
  const bool from_afar = static_cast<std::size_t>(b.rows) * b.cols > kNearWeights;
  for (int first = 0; first < panels.count(); first += kPanelsAtOnce) {
    const int end = std::min(first + kPanelsAtOnce, panels.count());
    for (int s = 0; s < slices.count; s++) {
      const int from = slices.begin(s), length = slices.length(s);
      for (int p = first; p < end; p++) {
        const int column = panels.begin(p);
        lay_out(trans_b, b, panels, p, from, length, panel);
        panels.with_part(p, [&](auto vectors, auto part) LAYERWISE_INLINE_LAMBDA {
          constexpr int kVectors = decltype(vectors)::value, kRows = kRowsBeside<kVectors>;
          Ahead<T> next(from_afar ? part_after(p, s) : MatrixView<const T>(), (c.rows + kRows - 1) / kRows);
          for (int i = 0; i < c.rows; i += kRows) {
            const T* x = a.row(i) + from;
            next.ask();
            with_count<kRows>(c.rows - i, [&](auto rows) LAYERWISE_INLINE_LAMBDA {
              multiply<T, decltype(rows)::value, kVectors>(
                  length, [&](int k) LAYERWISE_INLINE_LAMBDA { return x + k; }, a.stride,
                  [&](int k) LAYERWISE_INLINE_LAMBDA { return panel + k * (kVectors * Lanes<T>::kCount); },
                  RowPart<kVectors, T, Whole<T>>{}, s > 0, [&](int r) LAYERWISE_INLINE_LAMBDA { return c.row(i + r) + column; },
                  part);
            });
          }
        });
      }
    }
  }
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

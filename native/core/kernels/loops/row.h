#pragma once
// One row through a layer.
#include "base/matrix.h"
#include "kernels/lanes/registers.h"
#include "kernels/lanes/sum.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// z += the sum of x[i] w[i] over `count` rows of w.
template <int count, typename T>
LAYERWISE_INLINE void add_rows(const T* const* w, const T* x, int outputs, T* z) {
  Registers<T, 1, count> factors;
  unrolled<count>([&](auto i) LAYERWISE_INLINE_LAMBDA { factors.at(i) = all<T>(x[i]); });
  sweep<T>(static_cast<std::size_t>(outputs), [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
    V<T> sum = part.load(z + j);
    unrolled<count>([&](auto i) LAYERWISE_INLINE_LAMBDA { sum = fma(factors.at(i), part.load(w[i] + j), sum); });
    part.store(z + j, sum);
  });
}

// Only rows of W^T with nonzero x are read, a few at a time, so that z is loaded and stored less often.
template <typename T>
void row_product(const T* x, int inputs, const T* transposed, int outputs, T* z) {
  constexpr int kAtOnce = 8;
  const T* rows[kAtOnce];
  T factors[kAtOnce];
  int count = 0;
  std::fill(z, z + outputs, T(0));
  for (int k = 0; k < inputs; k++) {
    if (x[k] == 0) continue;
    rows[count] = transposed + static_cast<std::size_t>(k) * outputs;
    factors[count] = x[k];
    if (++count < kAtOnce) continue;
    add_rows<kAtOnce>(rows, factors, outputs, z);
    count = 0;
  }
  if (count > 0) {
    with_count<kAtOnce - 1>(count,
                            [&](auto n) LAYERWISE_INLINE_LAMBDA { add_rows<decltype(n)::value>(rows, factors, outputs, z); });
  }
}

// z[r] = W[r] x for `count` rows of W at once; w[r] and z[r] point to row r.
template <int count, typename T>
LAYERWISE_INLINE void row_dots(const T* const* w, const T* x, int inputs, T* const* z) {
  constexpr int kStep = Lanes<T>::kCount;
  constexpr std::integral_constant<int, 0> even;
  constexpr std::integral_constant<int, 1> odd;
  Registers<T, count, 2> sums;
  unrolled<count>([&](auto r) LAYERWISE_INLINE_LAMBDA { sums.at(r, even) = sums.at(r, odd) = V<T>{}; });
  int k = 0;
  for (; k + 2 * kStep <= inputs; k += 2 * kStep) {
    const V<T> first = load(x + k), second = load(x + k + kStep);
    unrolled<count>([&](auto r) LAYERWISE_INLINE_LAMBDA {
      sums.at(r, even) = fma(first, load(w[r] + k), sums.at(r, even));
      sums.at(r, odd) = fma(second, load(w[r] + k + kStep), sums.at(r, odd));
    });
  }
  sweep<T>(static_cast<std::size_t>(inputs - k), [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
    const V<T> last = part.load(x + k + j);
    unrolled<count>([&](auto r)
                        LAYERWISE_INLINE_LAMBDA { sums.at(r, even) = fma(last, part.load(w[r] + k + j), sums.at(r, even)); });
  });
  unrolled<count>([&](auto r) LAYERWISE_INLINE_LAMBDA { *z[r] = sum_of_lanes<T>(sums.at(r, even) + sums.at(r, odd)); });
}

// W is read in four streams, a quarter of its rows apart: one thread gets a higher bandwidth from the third cache than with one
// stream.
template <typename T>
void matrix_vector(MatrixView<const T> w, const T* x, T* z) {
  constexpr int kStreams = 4;
  const int quarter = w.rows / kStreams;
  for (int i = 0; i < quarter; i++) {
    const T* const rows[] = {w.row(i), w.row(i + quarter), w.row(i + 2 * quarter), w.row(i + 3 * quarter)};
    T* const sums[] = {z + i, z + i + quarter, z + i + 2 * quarter, z + i + 3 * quarter};
    row_dots<kStreams>(rows, x, w.cols, sums);
  }
  for (int i = kStreams * quarter; i < w.rows; i++) {
    const T* const row = w.row(i);
    T* const sum = z + i;
    row_dots<1>(&row, x, w.cols, &sum);
  }
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#pragma once
// What happens to the elements of a layer beside its matrix products.
#include "kernels/lanes/registers.h"
#include "kernels/lanes/sum.h"
#include "kernels/loops/activations.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// How many rows are worked on together: column sums are fetched and stored once for all of them.
constexpr int kRows = 4;

// body(first row, number of rows as a constant) over all rows in order.
template <typename Body>
LAYERWISE_INLINE void by_rows(int rows, Body&& body) {
  int i = 0;
  for (; i + kRows <= rows; i += kRows) body(i, std::integral_constant<int, kRows>{});
  for (; i < rows; i++) body(i, std::integral_constant<int, 1>{});
}

template <Activation f, bool slope, typename T>
void activate_with(MatrixView<T> z, const T* bias, T* sums, MatrixView<T> slopes) {
  if (sums != nullptr) std::fill(sums, sums + z.cols, T(0));
  by_rows(z.rows, [&](int i, auto rows) LAYERWISE_INLINE_LAMBDA {
    sweep<T>(z.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      const V<T> b = part.load(bias + j);
      V<T> sum = sums == nullptr ? V<T>{} : part.load(sums + j);
      unrolled<decltype(rows)::value>([&](auto r) LAYERWISE_INLINE_LAMBDA {
        const Activated<T> at = activated<f, T>(part.load(z.row(i + r) + j) + b);
        part.store(z.row(i + r) + j, at.a);
        if constexpr (slope) part.store(slopes.row(i + r) + j, at.slope);
        sum += at.a;
      });
      if (sums != nullptr) part.store(sums + j, sum);
    });
  });
}

template <typename T>
void activate(Activation f, MatrixView<T> z, const T* bias, T* sums, MatrixView<T> slopes) {
  with_constant(f, [&](auto f) {
    constexpr Activation kF = decltype(f)::value;
    if constexpr (traits_of(kF).stores_slope) {
      if (slopes.data != nullptr) return activate_with<kF, true>(z, bias, sums, slopes);
    }
    activate_with<kF, false>(z, bias, sums, slopes);
  });
}

template <Activation f, bool l1, typename T>
void hidden_delta_with(MatrixView<T> d, MatrixView<const T> a, MatrixView<const T> slopes, const T* pull, T weight, T* sums) {
  std::fill(sums, sums + d.cols, T(0));
  by_rows(d.rows, [&](int i, auto rows) LAYERWISE_INLINE_LAMBDA {
    sweep<T>(d.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      const V<T> p = pull != nullptr ? part.load(pull + j) : V<T>{};
      V<T> sum = part.load(sums + j);
      unrolled<decltype(rows)::value>([&](auto r) LAYERWISE_INLINE_LAMBDA {
        const V<T> out = part.load(a.row(i + r) + j);
        V<T> delta = part.load(d.row(i + r) + j) + p;
        if constexpr (l1) delta = fma(all<T>(weight), sign<T>(out), delta);
        if constexpr (traits_of(f).stores_slope) {
          delta = delta * part.load(slopes.row(i + r) + j);
        } else {
          delta = times_slope<f, T>(delta, out);
        }
        part.store(d.row(i + r) + j, delta);
        sum += delta;
      });
      part.store(sums + j, sum);
    });
  });
}

template <typename T>
void hidden_delta(Activation f, MatrixView<T> d, MatrixView<const T> a, MatrixView<const T> slopes, const T* pull, T l1,
                  T* sums) {
  with_constant(f, [&](auto f) {
    constexpr Activation kF = decltype(f)::value;
    l1 == 0 ? hidden_delta_with<kF, false>(d, a, slopes, pull, l1, sums)
            : hidden_delta_with<kF, true>(d, a, slopes, pull, l1, sums);
  });
}

template <typename T>
void exponentials(T* x, std::size_t n) {
  sweep<T>(n, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA { part.store(x + j, exponential<T>(part.load(x + j))); });
}

template <typename T>
double absolute_sum(MatrixView<const T> a) {
  Sum<T> total;
  for (int i = 0; i < a.rows; i++) {
    V<T> sum{};
    sweep<T>(a.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA { sum += absolute<T>(part.load(a.row(i) + j)); });
    total.add(sum);
  }
  return total.total();
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

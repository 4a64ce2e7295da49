#pragma once
// One row through a layer.
#include "vector_registers.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// z += the sum of x[i] w[i] over `count` rows of w.
template <int count, typename T>
LAYERWISE_INLINE void add_rows(const T* const* w, const T* x, int outputs, T* z) {
  Registers<T, 1, count> factors;
  unrolled<count>([&](auto i) LAYERWISE_INLINE_LAMBDA { factors.at(i) = all<T>(x[i]); });
  sweep<T>(static_cast<std::size_t>(outputs), [&](std::size_t j, auto span) LAYERWISE_INLINE_LAMBDA {
    V<T> sum = span.load(z + j);
    unrolled<count>([&](auto i) LAYERWISE_INLINE_LAMBDA { sum = fma(factors.at(i), span.load(w[i] + j), sum); });
    span.store(z + j, sum);
  });
}

// Only those rows of W^T are read whose x is not zero: a few at a time, so that z is fetched and stored less often.
template <typename T>
void row_product(const T* x, int inputs, const T* turned, int outputs, T* z) {
  constexpr int kAtOnce = 8;
  const T* rows[kAtOnce];
  T factors[kAtOnce];
  int count = 0;
  std::fill(z, z + outputs, T(0));
  for (int k = 0; k < inputs; k++) {
    if (x[k] == 0) continue;
    rows[count] = turned + static_cast<std::size_t>(k) * outputs;
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

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

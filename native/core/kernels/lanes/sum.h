#pragma once
#include "kernels/lanes/lanes.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

template <typename T>
LAYERWISE_INLINE T sum_of_lanes(V<T> v) {
  T sum = 0;
  for (int i = 0; i < Lanes<T>::kCount; i++) sum += v[i];
  return sum;
}

// A sum in float64, lane by lane until total().
template <typename T>
struct Sum;

template <>
struct Sum<double> {
  LAYERWISE_INLINE void add(D v) { lanes += v; }
  LAYERWISE_INLINE void add_product(D a, D b) { lanes = fma(a, b, lanes); }
  LAYERWISE_INLINE void add_squared_difference(D a, D b) {
    const D difference = a - b;
    lanes += difference * difference;
  }
  LAYERWISE_INLINE double total() const { return sum_of_lanes<double>(lanes); }
  D lanes{};
};

template <>
struct Sum<float> {
  LAYERWISE_INLINE void add(F v) {
    low += low_half(v);
    high += high_half(v);
  }
  LAYERWISE_INLINE void add_product(F a, F b) {
    low = fma(low_half(a), low_half(b), low);
    high = fma(high_half(a), high_half(b), high);
  }
  // Also in float64: neither it nor its square can overflow or underflow.
  LAYERWISE_INLINE void add_squared_difference(F a, F b) {
    const D first = low_half(a) - low_half(b), second = high_half(a) - high_half(b);
    low += first * first;
    high += second * second;
  }
  LAYERWISE_INLINE double total() const { return sum_of_lanes<double>(low + high); }
  D low{}, high{};
};

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#pragma once
// times_power() where the processor has no such instruction.
#include "kernels/lanes/lanes.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

template <typename T>
struct Power;
template <>
struct Power<float> {
  static constexpr float kRound = 0x1.8p23f;  // x + kRound has the nearest whole number to x in its low bits
  static constexpr float kBias = 127;
  static constexpr int kMantissa = 23;
};
template <>
struct Power<double> {
  static constexpr double kRound = 0x1.8p52;
  static constexpr double kBias = 1023;
  static constexpr int kMantissa = 52;
};

template <typename T>
LAYERWISE_INLINE V<T> power_of_two(V<T> n) {
  return (V<T>)((I<T>)(n + (Power<T>::kRound + Power<T>::kBias)) << Power<T>::kMantissa);
}

template <typename T>
LAYERWISE_INLINE V<T> times_normal_power(V<T> p, V<T> n) {
  return p * power_of_two<T>(n);
}

// In two factors, since 2^n may be out of range although p * 2^n is not.
template <typename T>
LAYERWISE_INLINE V<T> times_power(V<T> p, V<T> n) {
  const V<T> half = (n * T(0.5) + Power<T>::kRound) - Power<T>::kRound;
  return p * power_of_two<T>(half) * power_of_two<T>(n - half);
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

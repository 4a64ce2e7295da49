#pragma once
#include "kernels/lanes/lanes.h"
#include "kernels/lanes/power.h"
#include "kernels/lanes/rest.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

constexpr bool kFused = false;
LAYERWISE_INLINE F fma(F a, F b, F c) { return a * b + c; }
LAYERWISE_INLINE D fma(D a, D b, D c) { return a * b + c; }

LAYERWISE_INLINE F root(F a) {
  for (int i = 0; i < Lanes<float>::kCount; i++) a[i] = std::sqrt(a[i]);
  return a;
}
LAYERWISE_INLINE D root(D a) {
  for (int i = 0; i < Lanes<double>::kCount; i++) a[i] = std::sqrt(a[i]);
  return a;
}

LAYERWISE_INLINE F at_least(F low, F x) { return low > x ? low : x; }
LAYERWISE_INLINE D at_least(D low, D x) { return low > x ? low : x; }
LAYERWISE_INLINE F at_most(F high, F x) { return high < x ? high : x; }
LAYERWISE_INLINE D at_most(D high, D x) { return high < x ? high : x; }

LAYERWISE_INLINE D low_half(F v) { return D{v[0], v[1]}; }
LAYERWISE_INLINE D high_half(F v) { return D{v[2], v[3]}; }

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

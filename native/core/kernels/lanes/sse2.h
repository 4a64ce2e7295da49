#pragma once
#include "kernels/lanes/lanes.h"
#include "kernels/lanes/power.h"
#include "kernels/lanes/rest.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

constexpr bool kFused = false;
LAYERWISE_INLINE F fma(F a, F b, F c) { return a * b + c; }
LAYERWISE_INLINE D fma(D a, D b, D c) { return a * b + c; }
LAYERWISE_INLINE F root(F a) { return _mm_sqrt_ps(a); }
LAYERWISE_INLINE D root(D a) { return _mm_sqrt_pd(a); }

// maxps and minps give their second operand where one is NaN.
LAYERWISE_INLINE F at_least(F low, F x) { return _mm_max_ps(low, x); }
LAYERWISE_INLINE D at_least(D low, D x) { return _mm_max_pd(low, x); }
LAYERWISE_INLINE F at_most(F high, F x) { return _mm_min_ps(high, x); }
LAYERWISE_INLINE D at_most(D high, D x) { return _mm_min_pd(high, x); }

LAYERWISE_INLINE D low_half(F v) { return _mm_cvtps_pd(v); }
LAYERWISE_INLINE D high_half(F v) { return _mm_cvtps_pd(_mm_movehl_ps(v, v)); }

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

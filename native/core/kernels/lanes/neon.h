#pragma once
#include "kernels/lanes/lanes.h"
#include "kernels/lanes/power.h"
#include "kernels/lanes/rest.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

constexpr bool kFused = true;
LAYERWISE_INLINE F fma(F a, F b, F c) { return vfmaq_f32(c, a, b); }
LAYERWISE_INLINE D fma(D a, D b, D c) { return vfmaq_f64(c, a, b); }
LAYERWISE_INLINE F root(F a) { return vsqrtq_f32(a); }
LAYERWISE_INLINE D root(D a) { return vsqrtq_f64(a); }

// fmax and fmin give NaN where either operand is NaN.
LAYERWISE_INLINE F at_least(F low, F x) { return vmaxq_f32(low, x); }
LAYERWISE_INLINE D at_least(D low, D x) { return vmaxq_f64(low, x); }
LAYERWISE_INLINE F at_most(F high, F x) { return vminq_f32(high, x); }
LAYERWISE_INLINE D at_most(D high, D x) { return vminq_f64(high, x); }

LAYERWISE_INLINE D low_half(F v) { return vcvt_f64_f32(vget_low_f32(v)); }
LAYERWISE_INLINE D high_half(F v) { return vcvt_high_f64_f32(v); }

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

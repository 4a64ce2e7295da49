#pragma once
#include "vector_lanes.h"

// The unmasked forms of some intrinsics start from an undefined vector, of which g++ warns; a full mask compiles to the same
// instruction.
namespace layerwise::LAYERWISE_LEVEL {
namespace {

constexpr bool kFused = true;
LAYERWISE_INLINE F fma(F a, F b, F c) { return _mm512_fmadd_ps(a, b, c); }
LAYERWISE_INLINE D fma(D a, D b, D c) { return _mm512_fmadd_pd(a, b, c); }
LAYERWISE_INLINE F root(F a) { return _mm512_maskz_sqrt_ps(0xffff, a); }
LAYERWISE_INLINE D root(D a) { return _mm512_maskz_sqrt_pd(0xff, a); }

// maxps and minps give their second operand where one is NaN.
LAYERWISE_INLINE F at_least(F low, F x) { return _mm512_maskz_max_ps(0xffff, low, x); }
LAYERWISE_INLINE D at_least(D low, D x) { return _mm512_maskz_max_pd(0xff, low, x); }
LAYERWISE_INLINE F at_most(F high, F x) { return _mm512_maskz_min_ps(0xffff, high, x); }
LAYERWISE_INLINE D at_most(D high, D x) { return _mm512_maskz_min_pd(0xff, high, x); }

template <typename T>
LAYERWISE_INLINE V<T> times_power(V<T> p, V<T> n) {
  if constexpr (std::is_same_v<T, float>) {
    return _mm512_maskz_scalef_ps(0xffff, p, n);
  } else {
    return _mm512_maskz_scalef_pd(0xff, p, n);
  }
}

template <typename T>
LAYERWISE_INLINE V<T> times_normal_power(V<T> p, V<T> n) {
  return times_power<T>(p, n);
}

LAYERWISE_INLINE D low_half(F v) { return _mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, v, 0)); }
LAYERWISE_INLINE D high_half(F v) { return _mm512_maskz_cvtps_pd(0xff, _mm512_maskz_extractf32x8_ps(0xff, v, 1)); }

LAYERWISE_INLINE F below_each_other(const float* from, std::size_t apart) {
  F v = _mm512_castps128_ps512(_mm_loadu_ps(from));
  v = _mm512_maskz_insertf32x4(0xffff, v, _mm_loadu_ps(from + apart), 1);
  v = _mm512_maskz_insertf32x4(0xffff, v, _mm_loadu_ps(from + 2 * apart), 2);
  return _mm512_maskz_insertf32x4(0xffff, v, _mm_loadu_ps(from + 3 * apart), 3);
}
LAYERWISE_INLINE D below_each_other(const double* from, std::size_t apart) {
  D v = _mm512_castpd128_pd512(_mm_loadu_pd(from));
  v = _mm512_maskz_insertf64x2(0xff, v, _mm_loadu_pd(from + apart), 1);
  v = _mm512_maskz_insertf64x2(0xff, v, _mm_loadu_pd(from + 2 * apart), 2);
  return _mm512_maskz_insertf64x2(0xff, v, _mm_loadu_pd(from + 3 * apart), 3);
}

template <typename T>
struct Rest;

template <>
struct Rest<float> {
  LAYERWISE_INLINE explicit Rest(int n) : mask(static_cast<__mmask16>((1u << n) - 1)) {}
  LAYERWISE_INLINE F load(const float* from) const { return _mm512_maskz_loadu_ps(mask, from); }
  LAYERWISE_INLINE void store(float* to, F v) const { _mm512_mask_storeu_ps(to, mask, v); }
  LAYERWISE_INLINE F only(F v) const { return _mm512_maskz_mov_ps(mask, v); }
  __mmask16 mask;
};

template <>
struct Rest<double> {
  LAYERWISE_INLINE explicit Rest(int n) : mask(static_cast<__mmask8>((1u << n) - 1)) {}
  LAYERWISE_INLINE D load(const double* from) const { return _mm512_maskz_loadu_pd(mask, from); }
  LAYERWISE_INLINE void store(double* to, D v) const { _mm512_mask_storeu_pd(to, mask, v); }
  LAYERWISE_INLINE D only(D v) const { return _mm512_maskz_mov_pd(mask, v); }
  __mmask8 mask;
};

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

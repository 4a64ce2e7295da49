#pragma once
#include "kernels/lanes/lanes.h"
#include "kernels/lanes/power.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

constexpr bool kFused = true;
LAYERWISE_INLINE F fma(F a, F b, F c) { return _mm256_fmadd_ps(a, b, c); }
LAYERWISE_INLINE D fma(D a, D b, D c) { return _mm256_fmadd_pd(a, b, c); }
LAYERWISE_INLINE F root(F a) { return _mm256_sqrt_ps(a); }
LAYERWISE_INLINE D root(D a) { return _mm256_sqrt_pd(a); }

// maxps and minps give their second operand where one is NaN.
LAYERWISE_INLINE F at_least(F low, F x) { return _mm256_max_ps(low, x); }
LAYERWISE_INLINE D at_least(D low, D x) { return _mm256_max_pd(low, x); }
LAYERWISE_INLINE F at_most(F high, F x) { return _mm256_min_ps(high, x); }
LAYERWISE_INLINE D at_most(D high, D x) { return _mm256_min_pd(high, x); }

LAYERWISE_INLINE D low_half(F v) { return _mm256_cvtps_pd(_mm256_castps256_ps128(v)); }
LAYERWISE_INLINE D high_half(F v) { return _mm256_cvtps_pd(_mm256_extractf128_ps(v, 1)); }

LAYERWISE_INLINE F below_each_other(const float* from, std::size_t apart) {
  return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(from)), _mm_loadu_ps(from + apart), 1);
}
LAYERWISE_INLINE D below_each_other(const double* from, std::size_t apart) {
  return _mm256_insertf128_pd(_mm256_castpd128_pd256(_mm_loadu_pd(from)), _mm_loadu_pd(from + apart), 1);
}

template <typename T>
struct Rest;

template <>
struct Rest<float> {
  LAYERWISE_INLINE explicit Rest(int n) : mask(FI{0, 1, 2, 3, 4, 5, 6, 7} < n) {}
  LAYERWISE_INLINE F load(const float* from) const { return _mm256_maskload_ps(from, (__m256i)mask); }
  LAYERWISE_INLINE void store(float* to, F v) const { _mm256_maskstore_ps(to, (__m256i)mask, v); }
  LAYERWISE_INLINE F only(F v) const { return (F)((FI)v & mask); }
  FI mask;
};

template <>
struct Rest<double> {
  LAYERWISE_INLINE explicit Rest(int n) : mask(DI{0, 1, 2, 3} < std::int64_t{n}) {}
  LAYERWISE_INLINE D load(const double* from) const { return _mm256_maskload_pd(from, (__m256i)mask); }
  LAYERWISE_INLINE void store(double* to, D v) const { _mm256_maskstore_pd(to, (__m256i)mask, v); }
  LAYERWISE_INLINE D only(D v) const { return (D)((DI)v & mask); }
  DI mask;
};

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

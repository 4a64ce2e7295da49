#pragma once
#include "kernels/lanes/lanes.h"

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

// a b c of the first lane in which one of them is not 0, of the second and so on, and the numbers of those lanes, counted from
// `column`. Returns how many there are; three vectors of values and 16 columns are always written.
LAYERWISE_INLINE std::uint32_t keep_nonzero(F a, F b, F c, int column, float* values, std::uint16_t* columns) {
  const F zero{};
  const __mmask16 kept = _mm512_cmp_ps_mask(a, zero, _CMP_NEQ_UQ) | _mm512_cmp_ps_mask(b, zero, _CMP_NEQ_UQ) |
                         _mm512_cmp_ps_mask(c, zero, _CMP_NEQ_UQ);
  a = _mm512_maskz_compress_ps(kept, a);
  b = _mm512_maskz_compress_ps(kept, b);
  c = _mm512_maskz_compress_ps(kept, c);
  const __m512i lanes = _mm512_set_epi32(15, 14, 13, 12, 11, 10, 9, 8, 7, 6, 5, 4, 3, 2, 1, 0);
  const __m512i numbers = _mm512_maskz_add_epi32(0xffff, _mm512_maskz_compress_epi32(kept, lanes), _mm512_set1_epi32(column));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(columns), _mm512_maskz_cvtepi32_epi16(0xffff, numbers));
  // Lane i of vector v is number (16 v + i) % 3 of column (16 v + i) / 3; of the second operand the lanes count from 16.
  const __m512i ab[] = {_mm512_set_epi32(5, 0, 20, 4, 0, 19, 3, 0, 18, 2, 0, 17, 1, 0, 16, 0),
                        _mm512_set_epi32(26, 10, 0, 25, 9, 0, 24, 8, 0, 23, 7, 0, 22, 6, 0, 21),
                        _mm512_set_epi32(0, 31, 15, 0, 30, 14, 0, 29, 13, 0, 28, 12, 0, 27, 11, 0)};
  const __m512i of_c[] = {_mm512_set_epi32(0, 4, 0, 0, 3, 0, 0, 2, 0, 0, 1, 0, 0, 0, 0, 0),
                          _mm512_set_epi32(0, 0, 9, 0, 0, 8, 0, 0, 7, 0, 0, 6, 0, 0, 5, 0),
                          _mm512_set_epi32(15, 0, 0, 14, 0, 0, 13, 0, 0, 12, 0, 0, 11, 0, 0, 10)};
  constexpr __mmask16 kFromC[] = {0x4924, 0x2492, 0x9249};
  for (int v = 0; v < 3; v++) {
    const F two = _mm512_maskz_permutex2var_ps(0xffff, a, ab[v], b);
    store<float>(values + v * 16, _mm512_mask_permutexvar_ps(two, kFromC[v], of_c[v], c));
  }
  return static_cast<std::uint32_t>(__builtin_popcount(kept));
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

#pragma once
// Elementary functions of a vector. All pass NaN on.
#include "kernels/lanes/lanes.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// c[0] + c[1] x + c[2] x^2 ...
template <typename T, std::size_t n>
LAYERWISE_INLINE V<T> polynomial(V<T> x, const T (&c)[n]) {
  V<T> p = all<T>(c[n - 1]);
  for (std::size_t i = n - 1; i-- > 0;) p = fma(p, x, all<T>(c[i]));
  return p;
}

template <typename T>
struct ExpConstants;

template <>
struct ExpConstants<float> {
  static constexpr float kLow = -104, kHigh = 89;  // beyond them exp is 0 and infinity
  static constexpr float kLowNormal = -87;         // above it exp is a normal number
  static constexpr float kRound = 0x1.8p23f;
  static constexpr float kInverseLn2 = 1.44269504f;
  // ln 2 in two parts; n times the first is exact (Cody & Waite)
  static constexpr float kLn2 = 0.693359375f, kLn2Rest = -2.12194440e-4f;
  // (e^r - 1 - r) / r^2 on |r| <= ln 2 / 2, interpolated in the Chebyshev points: e^r to 1.0e-8
  static constexpr float kTail[] = {0.5f, 0.16666577025f, 0.041666554662f, 0.0083631731343f, 0.0013926176195f};
};

template <>
struct ExpConstants<double> {
  static constexpr double kLow = -746, kHigh = 710;
  static constexpr double kLowNormal = -708;
  static constexpr double kRound = 0x1.8p52;
  static constexpr double kInverseLn2 = 1.44269504088896340736;
  static constexpr double kLn2 = 6.93147180369123816490e-01, kLn2Rest = 1.90821492927058770002e-10;
  // as above: e^r to 1.7e-17
  static constexpr double kTail[] = {0.5,
                                     0.16666666666666669,
                                     0.041666666666624164,
                                     0.008333333333330065,
                                     0.001388888891719689,
                                     0.00019841269863040675,
                                     2.480152132210459e-05,
                                     2.7557268480106926e-06,
                                     2.7620076005631382e-07,
                                     2.5100375929185925e-08};
};

// e^x = 2^n e^r, x = n ln 2 + r, |r| <= ln 2 / 2: n, then r, then e^r - 1.
template <typename T>
LAYERWISE_INLINE V<T> whole_exponent(V<T> x) {
  return fma(x, all<T>(ExpConstants<T>::kInverseLn2), all<T>(ExpConstants<T>::kRound)) - ExpConstants<T>::kRound;
}
template <typename T>
LAYERWISE_INLINE V<T> rest_beside(V<T> n, V<T> x) {
  return fma(n, all<T>(-ExpConstants<T>::kLn2Rest), fma(n, all<T>(-ExpConstants<T>::kLn2), x));
}
template <typename T>
LAYERWISE_INLINE V<T> small_exponential_less_one(V<T> r) {
  return fma(polynomial<T>(r, ExpConstants<T>::kTail), r * r, r);
}

// `normal`: a denormal result is replaced by the least normal number, which makes no difference when it is added to 1.
template <typename T, bool normal = false>
LAYERWISE_INLINE V<T> exponential(V<T> x) {
  using C = ExpConstants<T>;
  x = at_most(all<T>(C::kHigh), at_least(all<T>(normal ? C::kLowNormal : C::kLow), x));
  const V<T> n = whole_exponent<T>(x);
  const V<T> p = small_exponential_less_one<T>(rest_beside<T>(n, x)) + T(1);
  return normal ? times_normal_power<T>(p, n) : times_power<T>(p, n);
}

// e^x - 1 for x <= 0, of full relative accuracy near 0.
template <typename T>
LAYERWISE_INLINE V<T> exponential_less_one(V<T> x) {
  x = at_least(all<T>(ExpConstants<T>::kLow), x);
  const V<T> n = whole_exponent<T>(x), power = times_power<T>(all<T>(1), n);
  return fma(small_exponential_less_one<T>(rest_beside<T>(n, x)), power, power - T(1));
}

template <typename T>
LAYERWISE_INLINE V<T> sigmoid(V<T> x) {
  return T(1) / (exponential<T, true>(-x) + T(1));
}

// The rational functions for small |x| are those of Cephes (S. Moshier), tanhf.c and tanh.c.
template <typename T>
struct TanhConstants;

template <>
struct TanhConstants<float> {
  static constexpr float kAbove[] = {-3.33332819422e-1f, 1.33314422036e-1f, -5.37397155531e-2f, 2.06390887954e-2f,
                                     -5.70498872745e-3f};
  static constexpr float kBelow[] = {1};
};

template <>
struct TanhConstants<double> {
  static constexpr double kAbove[] = {-1.61468768441708447952e3, -9.92877231001918586564e1, -9.64399179425052238628e-1};
  static constexpr double kBelow[] = {4.84406305325125486048e3, 2.23548839060100448583e3, 1.12811678491632931402e2, 1};
};

// |x| < 0.625: x + x^3 P(x^2) / Q(x^2), of full relative accuracy near 0; else 1 - 2 / (e^2|x| + 1) with the sign of x.
// Either way a + b / c, so that there is one division.
template <typename T>
LAYERWISE_INLINE V<T> hyperbolic_tangent(V<T> x) {
  using C = TanhConstants<T>;
  const V<T> size = absolute<T>(x), z = x * x;
  const I<T> small = size < T(0.625);
  const V<T> a = small ? size : all<T>(1);
  const V<T> b = small ? size * z * polynomial<T>(z, C::kAbove) : all<T>(-2);
  const V<T> c = small ? polynomial<T>(z, C::kBelow) : exponential<T, true>(size + size) + T(1);
  return with_sign<T>(a + b / c, x);
}

// 2 atanh(s) = 2s + s z R(z), z = s^2, for |s| <= 0.1716: the coefficients of FreeBSD's e_logf.c and e_log.c.
template <typename T>
struct LogConstants;

template <>
struct LogConstants<float> {
  static constexpr float kSeries[] = {0.66666662693f, 0.40000972152f, 0.28498786688f, 0.24279078841f};
};

template <>
struct LogConstants<double> {
  static constexpr double kSeries[] = {6.666666666666735130e-01, 3.999999999940941908e-01, 2.857142874366239149e-01,
                                       2.222219843214978396e-01, 1.818357216161805012e-01, 1.531383769920937332e-01,
                                       1.479819860511658591e-01};
};

// ln(1 + u) for u in [0, 1]: with u = 1 + 2f above sqrt 2 - 1, ln(1 + u) = ln 2 + ln(1 + f); ln(1 + f) = 2 atanh(f / (2 + f)).
template <typename T>
LAYERWISE_INLINE V<T> log_one_plus(V<T> u) {
  const I<T> large = u > T(0.41421356237309505);
  const V<T> f = large ? u * T(0.5) - T(0.5) : u;
  const V<T> s = f / (f + T(2)), z = s * s;
  const V<T> log = fma(s * z, polynomial<T>(z, LogConstants<T>::kSeries), s + s);
  return large ? log + T(0.69314718055994530942) : log;
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

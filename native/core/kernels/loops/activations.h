#pragma once
// The formulas of the activations: f, and its derivative f'.
#include "kernels/activation.h"
#include "kernels/lanes/functions.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// f(z), and f'(z) where it is computed from z; elsewhere the slope is 0 and is not read.
template <typename T>
struct Activated {
  V<T> a, slope{};
};

// z > 0: z, else e^z - 1.
template <typename T>
LAYERWISE_INLINE Activated<T> elu(V<T> z) {
  const V<T> x = at_most(V<T>{}, z);
  return {z > T(0) ? z : exponential_less_one<T>(x), z > T(0) ? all<T>(1) : exponential<T>(x)};
}

// ln(1 + e^z).
template <typename T>
LAYERWISE_INLINE V<T> softplus(V<T> z) {
  return at_least(V<T>{}, z) + log_one_plus<T>(exponential<T>(-absolute<T>(z)));
}

// z s, s = 1 / (1 + e^-z); the slope is s (1 + z (1 - s)). With e = e^-|z| one of s and 1 - s is 1 / (1 + e), the other e / (1 +
// e). Where z is negative, the power of two in e comes last: the product may be a normal number where e is none.
template <typename T>
LAYERWISE_INLINE Activated<T> silu(V<T> z) {
  const V<T> size = at_most(all<T>(std::is_same_v<T, float> ? 120 : 760), absolute<T>(z));  // there the product is 0
  const V<T> n = whole_exponent<T>(-size), p = small_exponential_less_one<T>(rest_beside<T>(n, -size)) + T(1);
  const V<T> e = times_power<T>(p, n), share = T(1) / (e + T(1));
  const I<T> negative = z < T(0);
  const V<T> below = times_power<T>(p * size, n), slope_below = times_power<T>(p * (T(1) - size * share), n);
  return {(negative ? -below : z) * share, (negative ? slope_below : size * e * share + T(1)) * share};
}

// The distribution of a standard normal number: with its density d(t) and Mills' ratio m(t) = (1 - P(t)) / d(t), t >= 0.
// m(t) (t + k) is a polynomial in y = (t - k) / (t + k) up to kFar, beyond which d is 0 (the variable: Shepherd & Laframboise
// 1981).
template <typename T>
struct NormalConstants;

template <>
struct NormalConstants<float> {
  static constexpr float kFar = 15, kMiddle = 3;
  static constexpr std::int32_t kHead = ~0xfff;  // half of the significand, whose square is exact
  // interpolated in the Chebyshev points: to 1.2e-9
  static constexpr float kMills[] = {1.827541794f,      -1.276705964f,    0.576568812f,    -0.1184701754f,
                                     -0.02622506934f,   0.01747099892f,   0.002567181707f, -0.002593048172f,
                                     -0.0006133953026f, 0.0003341935933f, 0.0001390974947f};
};

template <>
struct NormalConstants<double> {
  static constexpr double kFar = 39.5, kMiddle = 4;
  static constexpr std::int64_t kHead = ~0x7ffffff;
  // as above: to 3.7e-17
  static constexpr double kMills[] = {
      1.89321906330848533,    -1.52377091081998209,      0.970409554867598897,    -0.467540962998475833,
      0.151391762311867182,   -0.018900450857254351,     -0.00872229526165909989, 0.00408785561794882892,
      0.00033424447200099786, -0.000579268812893130999,  -4.78228270173370611e-6, 0.0000880934401803146454,
      1.79215750898147475e-6, -0.0000148366146590434877, -1.56679172594069238e-6, 2.55660735455733664e-6,
      6.60772645890204038e-7, -3.87131936441234956e-7,   -1.91411679852330444e-7, 3.68787309529612036e-8,
      3.49676741870814052e-8, 7.63748962609663715e-11,   -2.46262521230018402e-9};
};

// z P(z) of the standard normal distribution P; the slope is P(z) + z d(z). With t = |z|: max(z, 0) - t m(t) d(t), and (m - t) d
// where z is negative, else 1 less that. t^2/2 is split into an exact part and the rest, and the power of two in d comes last, so
// that the negative tail keeps its relative accuracy down to the least normal number.
template <typename T>
LAYERWISE_INLINE Activated<T> gelu(V<T> z) {
  using C = NormalConstants<T>;
  const V<T> t = at_most(all<T>(C::kFar), absolute<T>(z));
  const V<T> inverse = T(1) / (t + C::kMiddle);
  const V<T> mills = polynomial<T>((t - C::kMiddle) * inverse, C::kMills) * inverse;
  const V<T> head = (V<T>)((I<T>)t & C::kHead);
  const V<T> exact = head * head * T(-0.5), rest = (t - head) * (t + head) * T(-0.5);
  const V<T> n = whole_exponent<T>(exact + rest);
  const V<T> p = small_exponential_less_one<T>(rest_beside<T>(n, exact) + rest) + T(1);
  const V<T> density = p * T(0.39894228040143267794);  // but for 2^n
  const V<T> slope = times_power<T>(density * (mills - t), n);
  return {at_least(V<T>{}, z) - times_power<T>(density * (t * mills), n), z < T(0) ? slope : T(1) - slope};
}

template <Activation f, typename T>
LAYERWISE_INLINE Activated<T> activated(V<T> z) {
  if constexpr (f == Activation::sigmoid) {
    return {sigmoid<T>(z)};
  } else if constexpr (f == Activation::tanh) {
    return {hyperbolic_tangent<T>(z)};
  } else if constexpr (f == Activation::relu) {
    return {at_least(V<T>{}, z)};
  } else if constexpr (f == Activation::satlin) {
    return {at_most(all<T>(1), at_least(V<T>{}, z))};
  } else if constexpr (f == Activation::leaky_relu) {
    return {at_least(z * T(kLeak), z)};
  } else if constexpr (f == Activation::elu) {
    return elu<T>(z);
  } else if constexpr (f == Activation::softplus) {
    return {softplus<T>(z)};
  } else if constexpr (f == Activation::gelu) {
    return gelu<T>(z);
  } else if constexpr (f == Activation::silu) {
    return silu<T>(z);
  } else {
    static_assert(f == Activation::identity);
    return {z};
  }
}

// f'(z), written in a = f(z). The flat parts add a 0 made of a, so that NaN stays NaN.
template <Activation f, typename T>
LAYERWISE_INLINE V<T> times_slope(V<T> d, V<T> a) {
  if constexpr (f == Activation::sigmoid) {
    return d * (a * (T(1) - a));
  } else if constexpr (f == Activation::tanh) {
    return d * (T(1) - a * a);
  } else if constexpr (f == Activation::relu) {
    return d * (a > T(0) ? all<T>(1) : a * T(0));
  } else if constexpr (f == Activation::satlin) {
    return d * (((a > T(0)) & (a < T(1))) ? all<T>(1) : a * T(0));
  } else if constexpr (f == Activation::leaky_relu) {
    return d * (a > T(0) ? all<T>(1) : a * T(0) + T(kLeak));
  } else if constexpr (f == Activation::softplus) {
    return d * -exponential_less_one<T>(-a);
  } else {
    static_assert(f == Activation::identity);
    return d;
  }
}

// body(f as a constant). softmax has a file of its own, and counts as the identity here.
template <int i = 0, typename Body>
LAYERWISE_INLINE auto with_constant(Activation f, Body&& body) {
  constexpr int kLast = static_cast<int>(Activation::softmax);
  if constexpr (i == kLast) {
    return body(std::integral_constant<Activation, Activation::identity>{});
  } else {
    if (static_cast<int>(f) == i) return body(std::integral_constant<Activation, static_cast<Activation>(i)>{});
    return with_constant<i + 1>(f, body);
  }
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

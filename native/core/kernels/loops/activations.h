#pragma once
// The formulas of the activations: f, and the derivative f'.
#include "kernels/activation.h"
#include "kernels/lanes/functions.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

template <Activation f, typename T>
LAYERWISE_INLINE V<T> apply(V<T> z) {
  if constexpr (f == Activation::sigmoid) {
    return sigmoid<T>(z);
  } else if constexpr (f == Activation::tanh) {
    return hyperbolic_tangent<T>(z);
  } else if constexpr (f == Activation::relu) {
    return at_least(V<T>{}, z);
  } else if constexpr (f == Activation::satlin) {
    return at_most(all<T>(1), at_least(V<T>{}, z));
  } else {
    return z;
  }
}

// d f'(z), written in a = f(z). The flat parts multiply by a 0 made of a, so that NaN stays NaN.
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
  } else {
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

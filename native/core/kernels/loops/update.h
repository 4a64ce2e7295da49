#pragma once
// Kernels over flat vectors of parameters: optimizers and the few operations of L-BFGS.
#include "kernels/lanes/sum.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// The gradient, plus weight decay if there is any.
template <bool decayed, typename T, typename Span>
LAYERWISE_INLINE V<T> gradient(Span span, const T* g, const T* theta, V<T> decay) {
  if constexpr (decayed) return fma(decay, span.load(theta), span.load(g));
  return span.load(g);
}

// update(j, span, decayed) for all vectors of [0, n), decayed as a constant; it returns the gradient used. Squares are summed in
// T within a chunk.
template <bool decayed, typename T, typename Update>
LAYERWISE_INLINE double update_all(std::size_t n, bool norm, Update&& update) {
  constexpr std::size_t kChunk = 2048;
  Sum<T> total;
  for (std::size_t at = 0; at < n; at += kChunk) {
    V<T> squares{};
    sweep<T>(std::min(kChunk, n - at), [&](std::size_t j, auto span) LAYERWISE_INLINE_LAMBDA {
      const V<T> g = update(at + j, span, std::bool_constant<decayed>{});
      squares = fma(g, g, squares);
    });
    total.add(squares);
  }
  return norm ? total.total() : 0;
}

template <typename T, typename Update>
LAYERWISE_INLINE double update_with(T decay, std::size_t n, bool norm, Update&& update) {
  return decay == 0 ? update_all<false, T>(n, norm, update) : update_all<true, T>(n, norm, update);
}

template <typename T>
double gradient_descent(T* theta, const T* g, std::size_t n, T decay, double rate, bool norm) {
  const V<T> step = all<T>(static_cast<T>(-rate)), lambda = all<T>(decay);
  return update_with(decay, n, norm, [&](std::size_t j, auto span, auto decayed) LAYERWISE_INLINE_LAMBDA {
    const V<T> used = gradient<decltype(decayed)::value>(span, g + j, theta + j, lambda);
    span.store(theta + j, fma(step, used, span.load(theta + j)));
    return used;
  });
}

template <typename T>
double momentum(T* theta, T* v, const T* g, std::size_t n, T decay, double rate, double momentum, bool norm) {
  const V<T> step = all<T>(static_cast<T>(-rate)), keep = all<T>(static_cast<T>(momentum)), lambda = all<T>(decay);
  return update_with(decay, n, norm, [&](std::size_t j, auto span, auto decayed) LAYERWISE_INLINE_LAMBDA {
    const V<T> used = gradient<decltype(decayed)::value>(span, g + j, theta + j, lambda);
    const V<T> velocity = fma(keep, span.load(v + j), used);
    span.store(v + j, velocity);
    span.store(theta + j, fma(step, velocity, span.load(theta + j)));
    return used;
  });
}

// Both corrections are folded into the constants, as in section 2 of Kingma & Ba:
//   rate * (m / c1) / (sqrt(v / c2) + epsilon) = (rate sqrt(c2) / c1) * m / (sqrt(v) + epsilon sqrt(c2))
template <typename T>
double adam(T* theta, T* m, T* v, const T* g, std::size_t n, T decay, const AdamStep& step, bool norm) {
  const double root2 = std::sqrt(step.correction2);
  const V<T> rate = all<T>(static_cast<T>(step.rate * root2 / step.correction1)), lambda = all<T>(decay);
  const V<T> epsilon = all<T>(static_cast<T>(step.epsilon * root2));
  const V<T> keep1 = all<T>(static_cast<T>(step.beta1)), new1 = all<T>(static_cast<T>(1 - step.beta1));
  const V<T> keep2 = all<T>(static_cast<T>(step.beta2)), new2 = all<T>(static_cast<T>(1 - step.beta2));
  return update_with(decay, n, norm, [&](std::size_t j, auto span, auto decayed) LAYERWISE_INLINE_LAMBDA {
    const V<T> used = gradient<decltype(decayed)::value>(span, g + j, theta + j, lambda);
    const V<T> first = fma(keep1, span.load(m + j), new1 * used);
    const V<T> second = fma(keep2, span.load(v + j), new2 * used * used);
    span.store(m + j, first);
    span.store(v + j, second);
    span.store(theta + j, span.load(theta + j) - rate * first / (root(second) + epsilon));
    return used;
  });
}

template <typename T>
void add_decay(T* g, const T* theta, std::size_t n, T decay) {
  if (decay == 0) return;
  sweep<T>(n, [&](std::size_t j, auto span)
                  LAYERWISE_INLINE_LAMBDA { span.store(g + j, gradient<true>(span, g + j, theta + j, all<T>(decay))); });
}

template <typename T>
double dot(const T* x, const T* y, std::size_t n) {
  Sum<T> even, odd;
  constexpr std::size_t step = Lanes<T>::kCount;
  std::size_t j = 0;
  for (; j + 2 * step <= n; j += 2 * step) {
    even.add_product(load(x + j), load(y + j));
    odd.add_product(load(x + j + step), load(y + j + step));
  }
  sweep<T>(n - j, [&](std::size_t k, auto span)
                      LAYERWISE_INLINE_LAMBDA { even.add_product(span.load(x + j + k), span.load(y + j + k)); });
  return even.total() + odd.total();
}

template <typename T>
void axpy(T alpha, const T* x, T* y, std::size_t n) {
  sweep<T>(n, [&](std::size_t j, auto span)
                  LAYERWISE_INLINE_LAMBDA { span.store(y + j, fma(all<T>(alpha), span.load(x + j), span.load(y + j))); });
}

template <typename T>
void add_scaled(const T* x, T alpha, const T* y, T* out, std::size_t n) {
  sweep<T>(n, [&](std::size_t j, auto span)
                  LAYERWISE_INLINE_LAMBDA { span.store(out + j, fma(all<T>(alpha), span.load(y + j), span.load(x + j))); });
}

template <typename T>
void subtract(const T* x, const T* y, T* out, std::size_t n) {
  sweep<T>(n,
           [&](std::size_t j, auto span) LAYERWISE_INLINE_LAMBDA { span.store(out + j, span.load(x + j) - span.load(y + j)); });
}

template <typename T>
void scale(T alpha, T* y, std::size_t n) {
  sweep<T>(n, [&](std::size_t j, auto span) LAYERWISE_INLINE_LAMBDA { span.store(y + j, alpha * span.load(y + j)); });
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

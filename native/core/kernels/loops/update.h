#pragma once
// Kernels over flat vectors of parameters: optimizers and the few operations of L-BFGS.
#include "kernels/lanes/sum.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// The gradient, plus weight decay if there is any.
template <bool decayed, typename T, typename Part>
LAYERWISE_INLINE V<T> gradient(Part part, const T* g, const T* theta, V<T> decay) {
  if constexpr (decayed) return fma(decay, part.load(theta), part.load(g));
  return part.load(g);
}

// update(j, part, decayed) for all vectors of [0, n), decayed as a constant; it returns the gradient used. Squares are summed in
// T within a chunk.
template <bool decayed, typename T, typename Update>
LAYERWISE_INLINE double update_all(std::size_t n, bool norm, Update&& update) {
  constexpr std::size_t kChunk = 2048;
  Sum<T> total;
  for (std::size_t at = 0; at < n; at += kChunk) {
    V<T> squares{};
    sweep<T>(std::min(kChunk, n - at), [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      const V<T> g = update(at + j, part, std::bool_constant<decayed>{});
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
  return update_with(decay, n, norm, [&](std::size_t j, auto part, auto decayed) LAYERWISE_INLINE_LAMBDA {
    const V<T> used = gradient<decltype(decayed)::value>(part, g + j, theta + j, lambda);
    part.store(theta + j, fma(step, used, part.load(theta + j)));
    return used;
  });
}

template <typename T>
double momentum(T* theta, T* v, const T* g, std::size_t n, T decay, double rate, double momentum, bool norm) {
  const V<T> step = all<T>(static_cast<T>(-rate)), keep = all<T>(static_cast<T>(momentum)), lambda = all<T>(decay);
  return update_with(decay, n, norm, [&](std::size_t j, auto part, auto decayed) LAYERWISE_INLINE_LAMBDA {
    const V<T> used = gradient<decltype(decayed)::value>(part, g + j, theta + j, lambda);
    const V<T> velocity = fma(keep, part.load(v + j), used);
    part.store(v + j, velocity);
    part.store(theta + j, fma(step, velocity, part.load(theta + j)));
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
  return update_with(decay, n, norm, [&](std::size_t j, auto part, auto decayed) LAYERWISE_INLINE_LAMBDA {
    const V<T> used = gradient<decltype(decayed)::value>(part, g + j, theta + j, lambda);
    const V<T> first = fma(keep1, part.load(m + j), new1 * used);
    const V<T> second = fma(keep2, part.load(v + j), new2 * used * used);
    part.store(m + j, first);
    part.store(v + j, second);
    part.store(theta + j, part.load(theta + j) - rate * first / (root(second) + epsilon));
    return used;
  });
}

template <typename T>
void add_decay(T* g, const T* theta, std::size_t n, T decay) {
  if (decay == 0) return;
  sweep<T>(n, [&](std::size_t j, auto part)
                  LAYERWISE_INLINE_LAMBDA { part.store(g + j, gradient<true>(part, g + j, theta + j, all<T>(decay))); });
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
  sweep<T>(n - j, [&](std::size_t k, auto part)
                      LAYERWISE_INLINE_LAMBDA { even.add_product(part.load(x + j + k), part.load(y + j + k)); });
  return even.total() + odd.total();
}

template <typename T>
void axpy(T alpha, const T* x, T* y, std::size_t n) {
  sweep<T>(n, [&](std::size_t j, auto part)
                  LAYERWISE_INLINE_LAMBDA { part.store(y + j, fma(all<T>(alpha), part.load(x + j), part.load(y + j))); });
}

template <typename T>
void add_scaled(const T* x, T alpha, const T* y, T* out, std::size_t n) {
  sweep<T>(n, [&](std::size_t j, auto part)
                  LAYERWISE_INLINE_LAMBDA { part.store(out + j, fma(all<T>(alpha), part.load(y + j), part.load(x + j))); });
}

template <typename T>
void subtract(const T* x, const T* y, T* out, std::size_t n) {
  sweep<T>(n,
           [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA { part.store(out + j, part.load(x + j) - part.load(y + j)); });
}

template <typename T>
void scale(T alpha, T* y, std::size_t n) {
  sweep<T>(n, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA { part.store(y + j, alpha * part.load(y + j)); });
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

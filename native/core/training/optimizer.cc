#include "training/optimizer.h"

#include <cmath>

namespace layerwise {

template <typename T>
int Optimizer<T>::state_vectors(OptimizerOptions::Kind kind) {
  return kind == OptimizerOptions::Kind::adam ? 2 : (kind == OptimizerOptions::Kind::momentum ? 1 : 0);
}

template <typename T>
Optimizer<T>::Optimizer(const OptimizerOptions& options, std::size_t parameters)
    : options_(options),
      kernels_(vector_kernels<T>()),
      first_(state_vectors(options.kind) > 0 ? parameters : 0),
      second_(state_vectors(options.kind) > 1 ? parameters : 0) {}

template <typename T>
void Optimizer<T>::begin(double rate) {
  step_++;
  rate_ = rate;
  const double t = static_cast<double>(step_);
  adam_ = {
      rate, options_.beta1, options_.beta2, options_.epsilon, 1 - std::pow(options_.beta1, t), 1 - std::pow(options_.beta2, t)};
}

template <typename T>
double Optimizer<T>::update(T* theta, const T* g, std::size_t offset, std::size_t n, T decay, bool norm) const {
  T* block = theta + offset;
  switch (options_.kind) {
    case OptimizerOptions::Kind::momentum:
      return kernels_.momentum(block, first_.data() + offset, g, n, decay, rate_, options_.momentum, norm);
    case OptimizerOptions::Kind::adam:
      return kernels_.adam(block, first_.data() + offset, second_.data() + offset, g, n, decay, adam_, norm);
    default:
      return kernels_.gradient_descent(block, g, n, decay, rate_, norm);
  }
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace layerwise

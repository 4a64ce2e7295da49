#include "training/update/optimizer.h"

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
  rate_ = rate;
  const double t = static_cast<double>(steps_ + 1);
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

// Names say of which method they are, so that the state of one does not fit another.
template <typename T>
void Optimizer<T>::save(TrainingState& state) const {
  if (options_.kind == OptimizerOptions::Kind::momentum) state.vector("momentum.velocity", first_.data(), first_.size());
  if (options_.kind != OptimizerOptions::Kind::adam) return;
  state.integer("adam.steps", steps_);
  state.vector("adam.firstMoment", first_.data(), first_.size());
  state.vector("adam.secondMoment", second_.data(), second_.size());
}

template <typename T>
void Optimizer<T>::restore(StateReader& state) {
  if (options_.kind == OptimizerOptions::Kind::momentum) state.copy("momentum.velocity", first_.data(), first_.size());
  if (options_.kind != OptimizerOptions::Kind::adam) return;
  steps_ = state.count("adam.steps");
  state.copy("adam.firstMoment", first_.data(), first_.size());
  state.copy("adam.secondMoment", second_.data(), second_.size());
}

template class Optimizer<float>;
template class Optimizer<double>;

}  // namespace layerwise

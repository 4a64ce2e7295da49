#pragma once
#include <cstddef>
#include <cstdint>

#include "base/buffer.h"
#include "kernels/vector_kernels.h"
#include "training/state.h"

namespace layerwise {

struct OptimizerOptions {
  enum class Kind { gradient_descent, momentum, adam, lbfgs };
  Kind kind = Kind::adam;
  double momentum = 0.9;                              // momentum
  double beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8;  // adam [Kingma & Ba 2015]
  int history = 20;                                   // lbfgs
  double tolerance = 0;                               // lbfgs
};

// A first-order method and its state, applied to any block of the parameters: the blocks of one step may be updated by different
// threads.
template <typename T>
class Optimizer {
 public:
  Optimizer(const OptimizerOptions& options, std::size_t parameters);

  // Begins a step, before its blocks are updated. It counts once it is kept, and until then may be begun anew.
  void begin(double rate);
  void keep() { steps_++; }

  // theta[offset … offset+n) by its gradient g [n], to which decay * theta is added first. Returns the squared norm of that sum
  // where asked.
  double update(T* theta, const T* g, std::size_t offset, std::size_t n, T decay, bool norm) const;

  void save(TrainingState& state) const;
  void restore(StateReader& state);

  static int state_vectors(OptimizerOptions::Kind kind);

 private:
  OptimizerOptions options_;
  const VectorKernels<T>& kernels_;
  Buffer<T> first_, second_;  // momentum: the velocity; adam: the moments
  std::int64_t steps_ = 0;    // kept
  double rate_ = 0;
  AdamStep adam_{};
};

}  // namespace layerwise

#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "thread_pool.h"

namespace layerwise {

// Limited-memory BFGS (Nocedal & Wright, algorithms 7.4 and 7.5) with a strong Wolfe line search (3.5 and 3.6), c1 1e-4, c2 0.9.
// Vectors are T; every dot product, cost and step length is float64. Memory: 2 * history + 4 vectors of n. One object lives through a
// training job; iterate() is called on the pool's coordinator.
template <typename T>
class Lbfgs {
 public:
  enum class Stop {
    none,
    tolerance,   // the largest |gradient| fell to tolerance * max(1, |cost|)
    precision,   // no step along the steepest descent lowers the cost any more in this precision
    cancelled,   // should_stop() came true; theta is the last complete iterate
    diverged     // cost or gradient was not finite at the starting point
  };
  struct Iteration {
    double cost = 0;           // at theta
    double gradient_norm = 0;  // 2-norm at theta
    int evaluations = 0;       // within this iteration
    Stop stop = Stop::none;
  };
  // Cost and gradient at theta; a cost that is not finite makes the line search step back. After should_stop() came true its result is ignored.
  using Evaluate = std::function<double(const T* theta, T* gradient)>;

  Lbfgs(std::size_t n, int history, double tolerance);

  // One iteration: theta [n] moves to the next iterate, in place, only once it is accepted.
  Iteration iterate(Team& team, T* theta, const Evaluate& evaluate, const std::function<bool()>& should_stop);

  const T* gradient() const { return gradient_.data(); }

 private:
  std::size_t n_;
  int history_;
  double tolerance_;
  std::vector<T> gradient_;
};

}  // namespace layerwise

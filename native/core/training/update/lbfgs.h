#pragma once
#include <cstddef>
#include <functional>
#include <vector>

#include "base/buffer.h"
#include "base/thread_pool.h"
#include "training/state.h"
#include "training/update/line_search.h"

namespace layerwise {

// Limited-memory BFGS (Nocedal & Wright, algorithms 7.4 and 7.5) with a strong Wolfe line search (line_search.h).
// Vectors are T; every dot product, cost and step length is float64. Memory: 2 * history + 4 vectors of n, all of it reserved by
// the constructor. One object lives through a training job; iterate() is called on the pool's coordinator. The same bits at any
// number of threads.
template <typename T>
class Lbfgs {
 public:
  enum class Stop {
    none,
    tolerance,  // the largest |gradient| fell to tolerance times that of the first gradient
    precision,  // no step along the steepest descent lowers the cost any more in this precision, or ten iterations in a row did
                // not
    cancelled,  // should_stop() came true; theta is the last complete iterate
    diverged    // cost or gradient was not finite at the starting point
  };
  struct Iteration {
    double cost = 0;           // at theta
    double gradient_norm = 0;  // 2-norm at theta
    int evaluations = 0;       // within this iteration
    Stop stop = Stop::none;
  };
  // Cost and gradient at theta; a cost that is not finite makes the line search step back. After should_stop() came true its
  // result is ignored.
  using Evaluate = std::function<double(const T* theta, T* gradient)>;

  // history ≥ 1; tolerance ≥ 0, where 0 ends at a gradient of exactly 0 or for want of precision.
  Lbfgs(std::size_t n, int history, double tolerance);

  // The cost becomes another one, which the next iteration starts on without memory; the tolerance stays what it was.
  void restart();

  // One iteration: theta [n] moves to the next iterate, in place, only once it is accepted. Between calls theta and the function
  // must stay as they are.
  Iteration iterate(Team& team, T* theta, const Evaluate& evaluate, const std::function<bool()>& should_stop);

  // A cancelled iteration leaves the state in which it is begun anew.
  void save(TrainingState& state) const;
  void restore(StateReader& state);

  // At theta, after the first iteration.
  const T* gradient() const { return gradient_; }

 private:
  struct Pair {
    T *s, *y;  // steps of theta and of the gradient
    double rho = 0;
  };

  template <typename Body>
  double sum(Team& team, const Body& body);
  bool start(Team& team, const T* theta, const Evaluate& evaluate, const std::function<bool()>& should_stop, Iteration& out);
  double choose_direction(Team& team, const std::function<bool()>& should_stop);
  bool accept(Team& team, const LinePoint& point, T* theta);
  void measure_gradient(Team& team);
  bool converged() const;
  bool stalled();
  Iteration& report(Stop stop, Iteration& out) const;
  Iteration& cancel(bool began, Iteration& out);
  // The pair made `age` acceptances ago, 0 the newest.
  const Pair& pair(int age) const { return pairs_[static_cast<std::size_t>(next_ + capacity() - 1 - age) % pairs_.size()]; }
  int capacity() const { return static_cast<int>(pairs_.size()); }

  std::size_t n_;
  double tolerance_;
  Buffer<T> memory_;  // of all vectors [n]: one piece, for large pages, of which only what is used is ever touched
  T *gradient_, *direction_, *trial_, *trial_gradient_;
  std::vector<Pair> pairs_;  // a ring: next_ is the one written next, kept_ of those before it are valid
  int next_ = 0, kept_ = 0;
  double scale_ = 0;  // of the steepest descent: s.y / y.y of the newest pair; 1/|gradient| before there is one

  bool started_ = false;
  double cost_ = 0, gradient_norm_ = 0, largest_gradient_ = 0;
  double first_gradient_ = -1;  // the largest |gradient| where it first started; -1 before
  double lowest_cost_ = 0;
  int iterations_without_gain_ = 0;
  int failed_evaluations_ = 0;  // of searches that failed in an iteration that is not over
  std::vector<double> partial_, coefficients_;
};

}  // namespace layerwise

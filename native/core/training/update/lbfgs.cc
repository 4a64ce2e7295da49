#include "training/update/lbfgs.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

#include "kernels/vector_kernels.h"

namespace layerwise {

namespace {

constexpr std::size_t kBlock = 16384;  // elements that one thread takes at a time
constexpr int kPatience = 10;          // iterations without gain before precision is given up on

// How far rounding alone may move a cost computed in T, relative to it.
template <typename T>
constexpr double kNoise = 4 * static_cast<double>(std::numeric_limits<T>::epsilon());

// n elements and what is left of the last cache line.
template <typename T>
std::size_t whole_lines(std::size_t n) {
  constexpr std::size_t kLine = 64 / sizeof(T);
  return (n + kLine - 1) / kLine * kLine;
}

}  // namespace

template <typename T>
Lbfgs<T>::Lbfgs(std::size_t n, int history, double tolerance)
    : n_(n), tolerance_(tolerance), memory_(whole_lines<T>(n) * (4 + 2 * static_cast<std::size_t>(history))), pairs_(history) {
  T* next = memory_.data();
  const auto take = [&] { return std::exchange(next, next + whole_lines<T>(n)); };
  for (T** vector : {&gradient_, &direction_, &trial_, &trial_gradient_}) *vector = take();
  for (Pair& pair : pairs_) {
    pair.s = take();
    pair.y = take();
  }
  partial_.resize((n + kBlock - 1) / kBlock);
  coefficients_.resize(history);
}

template <typename T>
void Lbfgs<T>::restart() {
  started_ = false;
  kept_ = 0;
  iterations_without_gain_ = 0;
  failed_evaluations_ = 0;
}

// The sum of body(offset, length) over blocks, added in their order.
template <typename T>
template <typename Body>
double Lbfgs<T>::sum(Team& team, const Body& body) {
  team.each(static_cast<int>(partial_.size()), [&](int block) {
    const std::size_t offset = kBlock * static_cast<std::size_t>(block);
    partial_[block] = body(offset, std::min(kBlock, n_ - offset));
  });
  double total = 0;
  for (const double part : partial_) total += part;
  return total;
}

template <typename T>
void Lbfgs<T>::measure_gradient(Team& team) {
  const auto& kernels = vector_kernels<T>();
  const T* g = gradient_;
  gradient_norm_ = std::sqrt(sum(team, [&](std::size_t at, std::size_t n) { return kernels.dot(g + at, g + at, n); }));
  sum(team, [&](std::size_t at, std::size_t n) {
    T largest = 0;
    for (std::size_t i = at; i < at + n; ++i) largest = std::max(largest, std::fabs(g[i]));
    return static_cast<double>(largest);
  });
  largest_gradient_ = *std::max_element(partial_.begin(), partial_.end());
}

template <typename T>
bool Lbfgs<T>::converged() const {
  return largest_gradient_ <= tolerance_ * first_gradient_;
}

// Where rounding decides between costs, the line search may accept steps for ever without getting lower.
template <typename T>
bool Lbfgs<T>::stalled() {
  if (cost_ < lowest_cost_ - std::numeric_limits<T>::epsilon() * std::fabs(lowest_cost_)) {
    lowest_cost_ = cost_;
    iterations_without_gain_ = 0;
  } else {
    ++iterations_without_gain_;
  }
  return iterations_without_gain_ >= kPatience;
}

template <typename T>
typename Lbfgs<T>::Iteration& Lbfgs<T>::report(Stop stop, Iteration& out) const {
  out.cost = cost_;
  out.gradient_norm = gradient_norm_;
  out.stop = stop;
  return out;
}

// An iteration that began with the starting point evaluates that anew.
template <typename T>
typename Lbfgs<T>::Iteration& Lbfgs<T>::cancel(bool began, Iteration& out) {
  if (began) started_ = false;
  return report(Stop::cancelled, out);
}

// Evaluates the starting point. Returns false if there is nothing to iterate on, and says why.
template <typename T>
bool Lbfgs<T>::start(Team& team, const T* theta, const Evaluate& evaluate, const std::function<bool()>& should_stop,
                     Iteration& out) {
  cost_ = evaluate(theta, gradient_);
  ++out.evaluations;
  if (should_stop()) {
    out.stop = Stop::cancelled;
    return false;
  }
  measure_gradient(team);
  report(Stop::none, out);
  if (!std::isfinite(cost_) || !std::isfinite(gradient_norm_)) {
    out.stop = Stop::diverged;
  } else {
    started_ = true;
    lowest_cost_ = cost_;
    scale_ = 1 / gradient_norm_;
    if (first_gradient_ < 0) first_gradient_ = largest_gradient_;
    if (converged()) out.stop = Stop::tolerance;
  }
  return out.stop == Stop::none;
}

// direction = -H gradient by the two-loop recursion (Nocedal & Wright, algorithm 7.4); returns gradient . direction. Each pass
// over memory updates the direction and takes the product that the next pass needs. The direction is unfinished if should_stop()
// came true.
template <typename T>
double Lbfgs<T>::choose_direction(Team& team, const std::function<bool()>& should_stop) {
  const auto& kernels = vector_kernels<T>();
  T* d = direction_;
  const T* g = gradient_;
  if (kept_ == 0) {
    return sum(team, [&](std::size_t at, std::size_t n) {
      std::copy(g + at, g + at + n, d + at);
      kernels.scale(static_cast<T>(-scale_), d + at, n);
      return kernels.dot(g + at, d + at, n);
    });
  }
  const T* next = pair(0).s;
  double product = sum(team, [&](std::size_t at, std::size_t n) {
    std::copy(g + at, g + at + n, d + at);
    kernels.scale(T{-1}, d + at, n);
    return kernels.dot(next + at, d + at, n);
  });
  for (int age = 0; age < kept_; ++age) {
    if (should_stop()) return 0;
    const bool oldest = age == kept_ - 1;
    const T* y = pair(age).y;
    next = oldest ? y : pair(age + 1).s;
    coefficients_[age] = pair(age).rho * product;
    const T step = static_cast<T>(-coefficients_[age]);
    product = sum(team, [&](std::size_t at, std::size_t n) {
      kernels.axpy(step, y + at, d + at, n);
      if (oldest) kernels.scale(static_cast<T>(scale_), d + at, n);
      return kernels.dot(next + at, d + at, n);
    });
  }
  for (int age = kept_ - 1; age >= 0; --age) {
    if (should_stop()) return 0;
    const T* s = pair(age).s;
    next = age == 0 ? g : pair(age - 1).y;
    const T step = static_cast<T>(coefficients_[age] - pair(age).rho * product);
    product = sum(team, [&](std::size_t at, std::size_t n) {
      kernels.axpy(step, s + at, d + at, n);
      return kernels.dot(next + at, d + at, n);
    });
  }
  return product;
}

// Moves theta to the trial point and remembers the step, unless the curvature s.y along it drowns in rounding. Returns false if
// the step is too short to move theta.
template <typename T>
bool Lbfgs<T>::accept(Team& team, const LinePoint& point, T* theta) {
  const auto& kernels = vector_kernels<T>();
  Pair& made = pairs_[next_];
  kept_ = std::min(kept_, capacity() - 1);
  T *s = made.s, *y = made.y;
  const double ss = sum(team, [&](std::size_t at, std::size_t n) {
    kernels.subtract(trial_ + at, theta + at, s + at, n);
    return kernels.dot(s + at, s + at, n);
  });
  if (ss == 0) return false;
  const double yy = sum(team, [&](std::size_t at, std::size_t n) {
    kernels.subtract(trial_gradient_ + at, gradient_ + at, y + at, n);
    return kernels.dot(y + at, y + at, n);
  });
  const double sy = sum(team, [&](std::size_t at, std::size_t n) {
    std::copy(trial_ + at, trial_ + at + n, theta + at);
    return kernels.dot(s + at, y + at, n);
  });
  if (sy > std::numeric_limits<T>::epsilon() * std::sqrt(ss) * std::sqrt(yy)) {
    made.rho = 1 / sy;
    scale_ = sy / yy;
    next_ = (next_ + 1) % capacity();
    ++kept_;
  }
  std::swap(gradient_, trial_gradient_);
  cost_ = point.cost;
  measure_gradient(team);
  return true;
}

template <typename T>
typename Lbfgs<T>::Iteration Lbfgs<T>::iterate(Team& team, T* theta, const Evaluate& evaluate,
                                               const std::function<bool()>& should_stop) {
  const auto& kernels = vector_kernels<T>();
  Iteration out;
  out.evaluations = failed_evaluations_;
  const bool begins = !started_;
  if (begins && !start(team, theta, evaluate, should_stop, out)) return out;

  const auto evaluate_along = [&](LinePoint& point) {
    const T step = static_cast<T>(point.step);
    sum(team, [&](std::size_t at, std::size_t n) {
      kernels.add_scaled(theta + at, step, direction_ + at, trial_ + at, n);
      return 0.0;
    });
    point.cost = evaluate(trial_, trial_gradient_);
    ++out.evaluations;
    if (should_stop()) return false;
    point.slope = sum(team, [&](std::size_t at, std::size_t n) { return kernels.dot(trial_gradient_ + at, direction_ + at, n); });
    return true;
  };

  for (;;) {
    const bool steepest = kept_ == 0;
    const double slope = choose_direction(team, should_stop);
    if (should_stop()) return cancel(begins, out);
    if (slope < 0 && std::isfinite(slope)) {
      const LineSearch search = strong_wolfe({0, cost_, slope}, 1, kNoise<T> * std::fabs(cost_), evaluate_along);
      if (search.outcome == LineSearch::Outcome::cancelled) return cancel(begins, out);
      if (search.outcome == LineSearch::Outcome::found && accept(team, search.point, theta)) break;
    }
    if (steepest) {
      failed_evaluations_ = 0;
      return report(Stop::precision, out);
    }
    kept_ = 0;
    failed_evaluations_ = out.evaluations;
  }
  failed_evaluations_ = 0;
  const bool at_rest = stalled();
  return report(converged() ? Stop::tolerance : at_rest ? Stop::precision : Stop::none, out);
}

template <typename T>
void Lbfgs<T>::save(TrainingState& state) const {
  state.number("lbfgs.firstGradient", first_gradient_);
  state.integer("lbfgs.started", started_ ? 1 : 0);
  if (!started_) return;
  state.number("lbfgs.cost", cost_);
  state.number("lbfgs.gradientNorm", gradient_norm_);
  state.number("lbfgs.lowestCost", lowest_cost_);
  state.number("lbfgs.scale", scale_);
  state.integer("lbfgs.iterationsWithoutGain", iterations_without_gain_);
  state.integer("lbfgs.failedEvaluations", failed_evaluations_);
  state.vector("lbfgs.gradient", gradient_, n_);
  // [kept, n], the oldest first.
  std::vector<T> s, y;
  std::vector<double> rho;
  s.reserve(static_cast<std::size_t>(kept_) * n_);
  y.reserve(static_cast<std::size_t>(kept_) * n_);
  for (int age = kept_ - 1; age >= 0; --age) {
    const Pair& one = pair(age);
    s.insert(s.end(), one.s, one.s + n_);
    y.insert(y.end(), one.y, one.y + n_);
    rho.push_back(one.rho);
  }
  state.integer("lbfgs.pairs", kept_);
  state.vector("lbfgs.s", std::move(s));
  state.vector("lbfgs.y", std::move(y));
  state.vector("lbfgs.rho", std::move(rho));
}

template <typename T>
void Lbfgs<T>::restore(StateReader& state) {
  restart();
  first_gradient_ = state.number("lbfgs.firstGradient");
  started_ = state.flag("lbfgs.started");
  if (!started_) return;
  cost_ = state.number("lbfgs.cost");
  gradient_norm_ = state.number("lbfgs.gradientNorm");
  lowest_cost_ = state.number("lbfgs.lowestCost");
  scale_ = state.number("lbfgs.scale");
  iterations_without_gain_ = static_cast<int>(state.integer("lbfgs.iterationsWithoutGain", 0, kPatience));
  failed_evaluations_ = static_cast<int>(state.integer("lbfgs.failedEvaluations", 0, std::numeric_limits<int>::max()));
  state.copy("lbfgs.gradient", gradient_, n_);
  kept_ = static_cast<int>(state.integer("lbfgs.pairs", 0, capacity()));
  next_ = kept_ % capacity();
  const T* s = state.vector<T>("lbfgs.s", static_cast<std::size_t>(kept_) * n_);
  const T* y = state.vector<T>("lbfgs.y", static_cast<std::size_t>(kept_) * n_);
  const double* rho = state.vector<double>("lbfgs.rho", static_cast<std::size_t>(kept_));
  for (std::size_t i = 0; i < static_cast<std::size_t>(kept_); ++i) {
    std::copy(s + i * n_, s + (i + 1) * n_, pairs_[i].s);
    std::copy(y + i * n_, y + (i + 1) * n_, pairs_[i].y);
    pairs_[i].rho = rho[i];
  }
}

template class Lbfgs<float>;
template class Lbfgs<double>;

}  // namespace layerwise

#include "training/update/lbfgs.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <string>
#include <vector>

#include "base/random.h"
#include "tolerances.h"

namespace layerwise {
namespace {

// Evaluates and iterates on its own pool.
template <typename T>
struct Path {
  using Solver = Lbfgs<T>;
  using Stop = typename Solver::Stop;
  std::vector<T> theta;
  std::vector<typename Solver::Iteration> iterations;

  Stop stop() const { return iterations.back().stop; }
  double cost() const { return iterations.back().cost; }
  int evaluations() const {
    return std::accumulate(iterations.begin(), iterations.end(), 0, [](int sum, const auto& i) { return sum + i.evaluations; });
  }
};

// `tolerance`: of the largest |gradient| itself, not relative to the start.
template <typename T>
Path<T> minimise(const typename Lbfgs<T>::Evaluate& f, std::vector<T> theta, double tolerance, int limit, int history = 10,
                 int threads = 2) {
  Path<T> path{std::move(theta), {}};
  std::vector<T> first(path.theta.size());
  f(path.theta.data(), first.data());
  double largest = 0;
  for (const T slope : first) largest = std::max(largest, std::fabs(static_cast<double>(slope)));
  if (largest > 0 && std::isfinite(largest)) tolerance /= largest;
  ThreadPool pool;
  pool.run(threads, [&](Team& team) {
    Lbfgs<T> solver(path.theta.size(), history, tolerance);
    do {
      path.iterations.push_back(solver.iterate(team, path.theta.data(), f, [] { return false; }));
    } while (path.stop() == Path<T>::Stop::none && static_cast<int>(path.iterations.size()) < limit);
  });
  return path;
}

// 1/2 (x - 1)^T A (x - 1), the eigenvalues of A from 1 to `condition`, its axes given by a reflection.
template <typename T>
struct Quadratic {
  std::vector<double> values, mirror;

  Quadratic(std::size_t n, double condition) : values(n), mirror(n) {
    uniform(mirror.data(), n, -1, 1, 4, 0, 0);
    double norm = 0;
    for (const double x : mirror) norm += x * x;
    for (double& x : mirror) x /= std::sqrt(norm);
    for (std::size_t i = 0; i < n; ++i) values[i] = n == 1 ? condition : std::pow(condition, static_cast<double>(i) / (n - 1));
  }
  void reflect(std::vector<double>& x) const {
    const double along = std::inner_product(x.begin(), x.end(), mirror.begin(), 0.0);
    for (std::size_t i = 0; i < x.size(); ++i) x[i] -= 2 * along * mirror[i];
  }
  double operator()(const T* theta, T* gradient) const {
    std::vector<double> x(values.size());
    for (std::size_t i = 0; i < x.size(); ++i) x[i] = theta[i] - 1.0;
    reflect(x);
    double cost = 0;
    for (std::size_t i = 0; i < x.size(); ++i) {
      cost += 0.5 * values[i] * x[i] * x[i];
      x[i] *= values[i];
    }
    reflect(x);
    for (std::size_t i = 0; i < x.size(); ++i) gradient[i] = static_cast<T>(x[i]);
    return cost;
  }
};

// Sum of 100 (x[i+1] - x[i]^2)^2 + (1 - x[i])^2, all of it in T.
template <typename T>
double rosenbrock(std::size_t n, const T* x, T* gradient) {
  std::fill(gradient, gradient + n, T{0});
  double cost = 0;
  for (std::size_t i = 0; i + 1 < n; ++i) {
    const T valley = x[i + 1] - x[i] * x[i], rest = 1 - x[i];
    cost += static_cast<double>(100 * valley * valley + rest * rest);
    gradient[i] += -400 * x[i] * valley - 2 * rest;
    gradient[i + 1] += 200 * valley;
  }
  return cost;
}

template <typename T>
Path<T> minimise_rosenbrock(std::size_t n, double tolerance) {
  std::vector<T> theta(n, 1);
  for (std::size_t i = 0; i < n; i += 2) theta[i] = T(-1.2);
  return minimise<T>([n](const T* x, T* g) { return rosenbrock(n, x, g); }, theta, tolerance, 2000);
}

TEST(Lbfgs, FindsTheMinimumOfQuadratics) {
  for (const std::size_t n : {1, 2, 3, 10, 50, 200}) {
    SCOPED_TRACE(n);
    const auto path = minimise<double>(Quadratic<double>(n, 1e4), std::vector<double>(n), 1e-9, 2000);
    EXPECT_EQ(path.stop(), Path<double>::Stop::tolerance);
    for (const double x : path.theta) EXPECT_NEAR(x, 1, tolerance::kQuadratic);
    // Nearly every first step is taken.
    EXPECT_LT(path.evaluations(), 1.3 * path.iterations.size() + 10);
  }
}

TEST(Lbfgs, ConvergesWithAHistoryOfOne) {
  const auto path = minimise<double>(Quadratic<double>(30, 100), std::vector<double>(30), 1e-9, 2000, 1);
  EXPECT_EQ(path.stop(), Path<double>::Stop::tolerance);
  for (const double x : path.theta) EXPECT_NEAR(x, 1, tolerance::kQuadratic);
}

TEST(Lbfgs, TakesFewerIterationsWithMoreHistory) {
  const Quadratic<double> f(100, 1e4);
  const std::vector<double> zero(100);
  EXPECT_LT(minimise<double>(f, zero, 1e-9, 5000, 40).iterations.size(),
            minimise<double>(f, zero, 1e-9, 5000, 3).iterations.size());
}

TEST(Lbfgs, FollowsRosenbrocksValleyInFloat64) {
  for (const std::size_t n : {2, 20}) {
    const auto path = minimise_rosenbrock<double>(n, 1e-10);
    EXPECT_EQ(path.stop(), Path<double>::Stop::tolerance);
    for (const double x : path.theta) EXPECT_NEAR(x, 1, tolerance::kRosenbrock64);
    EXPECT_LT(path.evaluations(), n == 2 ? 80 : 250);
  }
}

TEST(Lbfgs, FollowsRosenbrocksValleyInFloat32) {
  for (const std::size_t n : {2, 20}) {
    const auto path = minimise_rosenbrock<float>(n, 1e-4);
    EXPECT_EQ(path.stop(), Path<float>::Stop::tolerance);
    for (const float x : path.theta) EXPECT_NEAR(x, 1, tolerance::kRosenbrock32);
  }
}

TEST(Lbfgs, LowersTheCostAtEveryIteration) {
  double before = std::numeric_limits<double>::infinity();
  for (const auto& iteration : minimise_rosenbrock<double>(20, 1e-8).iterations) {
    EXPECT_LT(iteration.cost, before);
    before = iteration.cost;
  }
}

// A parabola with many minima in it.
double wavy(double x, double& slope) {
  slope = 2 * (x - 3) + 40 * std::cos(20 * x + 2);
  return (x - 3) * (x - 3) + 2 * std::sin(20 * x + 2);
}

TEST(Lbfgs, SatisfiesTheStrongWolfeConditionsAtEveryIterate) {
  const auto f = [](const double* x, double* g) { return wavy(*x, *g); };
  ThreadPool pool;
  pool.run(1, [&](Team& team) {
    for (const double start : {-40.0, -3.3, 2.0, 9.1}) {
      Lbfgs<double> solver(1, 5, 1e-9);
      double x = start, g;
      double cost = f(&x, &g);
      int iterations = 0;
      for (auto stop = Lbfgs<double>::Stop::none; stop == Lbfgs<double>::Stop::none; ++iterations) {
        ASSERT_LT(iterations, 100);
        const double slope = g, from = x;
        const auto iteration = solver.iterate(team, &x, f, [] { return false; });
        stop = iteration.stop;
        const double moved = x - from;
        if (moved == 0) break;
        f(&x, &g);
        EXPECT_LT(slope * moved, 0);
        EXPECT_LE(iteration.cost, cost + 1e-4 * slope * moved + tolerance::kWolfeNoise * std::fabs(cost));
        EXPECT_LE(std::fabs(g), 0.9 * std::fabs(slope));
        EXPECT_EQ(*solver.gradient(), g);
        EXPECT_EQ(iteration.gradient_norm, std::fabs(g));
        cost = iteration.cost;
      }
      EXPECT_NEAR(g, 0, 1e-6);
    }
  });
}

TEST(Lbfgs, StepsBackIfTheCostIsNaN) {
  // A barrier at |x| = 1, which the first step of length 1 reaches.
  int outside = 0;
  const auto f = [&](const double* x, double* g) {
    *g = 2 * *x / (1 - *x * *x) + 200 * (*x - 0.99);
    const double cost = -std::log(1 - *x * *x) + 100 * (*x - 0.99) * (*x - 0.99);
    if (!std::isfinite(cost)) ++outside;
    return cost;
  };
  const auto path = minimise<double>(f, {0.0}, 1e-9, 100);
  EXPECT_EQ(path.stop(), Path<double>::Stop::tolerance);
  EXPECT_GT(outside, 0);
  double g;
  f(path.theta.data(), &g);
  EXPECT_NEAR(g, 0, 1e-6);
}

TEST(Lbfgs, ReportsAStartThatIsNotFinite) {
  const auto f = [](const double*, double* g) {
    *g = 1;
    return std::nan("");
  };
  const auto path = minimise<double>(f, {3.0}, 1e-9, 10);
  EXPECT_EQ(path.stop(), Path<double>::Stop::diverged);
  EXPECT_EQ(path.theta[0], 3.0);
  const auto infinite_gradient = [](const double*, double* g) {
    *g = std::numeric_limits<double>::infinity();
    return 1.0;
  };
  EXPECT_EQ(minimise<double>(infinite_gradient, {3.0}, 1e-9, 10).stop(), Path<double>::Stop::diverged);
}

TEST(Lbfgs, StopsAtOnceAtAMinimum) {
  const auto path = minimise<double>(Quadratic<double>(5, 10), std::vector<double>(5, 1.0), 1e-9, 10);
  EXPECT_EQ(path.stop(), Path<double>::Stop::tolerance);
  EXPECT_EQ(path.evaluations(), 1);
}

TEST(Lbfgs, EndsAtTheLimitOfPrecisionIfTheGradientIsWrong) {
  const auto f = [](const double* x, double* g) {
    *g = -2 * *x;
    return *x * *x;
  };
  const auto path = minimise<double>(f, {3.0}, 0, 10);
  EXPECT_EQ(path.stop(), Path<double>::Stop::precision);
  EXPECT_EQ(path.theta[0], 3.0);
}

TEST(Lbfgs, DropsItsHistoryIfASearchFailsAndContinues) {
  // One complete search, 25 evaluations, finds no finite cost; the next, along the steepest descent, does.
  const Quadratic<double> quadratic(20, 1e3);
  int evaluations = 0;
  const auto f = [&](const double* x, double* g) {
    const double cost = quadratic(x, g);
    return ++evaluations > 10 && evaluations <= 35 ? std::nan("") : cost;
  };
  const auto path = minimise<double>(f, std::vector<double>(20), 1e-9, 500);
  EXPECT_EQ(path.stop(), Path<double>::Stop::tolerance);
  for (const double x : path.theta) EXPECT_NEAR(x, 1, tolerance::kQuadratic);
  const auto longest = std::max_element(path.iterations.begin(), path.iterations.end(),
                                        [](const auto& a, const auto& b) { return a.evaluations < b.evaluations; });
  EXPECT_GT(longest->evaluations, 25);
}

TEST(Lbfgs, EndsAtTheLimitOfPrecisionInFloat32) {
  for (const std::size_t n : {2, 20}) {
    const auto path = minimise_rosenbrock<float>(n, 0);
    EXPECT_NE(path.stop(), Path<float>::Stop::none);
    for (const float x : path.theta) EXPECT_NEAR(x, 1, tolerance::kRosenbrock32);
  }
  // A cost of 1000, whose rounding is larger than the last decreases.
  for (const std::size_t n : {1, 10, 200}) {
    const Quadratic<float> quadratic(n, 1e3);
    const auto f = [&](const float* x, float* g) { return static_cast<double>(static_cast<float>(1000 + quadratic(x, g))); };
    const auto path = minimise<float>(f, std::vector<float>(n), 0, 500);
    // A gradient of 0 is the best possible result.
    EXPECT_TRUE(path.stop() == Path<float>::Stop::precision || path.iterations.back().gradient_norm == 0);
    EXPECT_NEAR(path.cost(), 1000, tolerance::kFloatNoise * 1000);
    double before = std::numeric_limits<double>::infinity();
    for (const auto& iteration : path.iterations) {
      EXPECT_LE(iteration.cost, before * (1 + tolerance::kFloatNoise));
      before = iteration.cost;
    }
  }
}

TEST(Lbfgs, EndsAtTheLimitOfPrecisionInFloat64) {
  const Quadratic<double> quadratic(50, 1e3);
  const auto path =
      minimise<double>([&](const double* x, double* g) { return 1 + quadratic(x, g); }, std::vector<double>(50), 0, 2000);
  EXPECT_EQ(path.stop(), Path<double>::Stop::precision);
  EXPECT_NEAR(path.cost(), 1, tolerance::kWolfeNoise);
}

// Of millions of parameters each pass over memory takes some tens of milliseconds.
TEST(Lbfgs, CanBeCancelledBetweenTwoPassesOverItsMemory) {
  constexpr int kHistory = 7;
  const std::size_t n = 20;
  int asked = 0, cancel_at = 0, asked_before_evaluating = 0;
  const auto f = [&](const double* x, double* g) {
    if (asked_before_evaluating == 0) asked_before_evaluating = asked;
    return rosenbrock(n, x, g);
  };
  const auto should_stop = [&] { return ++asked >= cancel_at && cancel_at > 0; };
  ThreadPool pool;
  pool.run(1, [&](Team& team) {
    Lbfgs<double> solver(n, kHistory, 0);
    std::vector<double> theta(n, -1);
    const auto iterate = [&] {
      asked = asked_before_evaluating = 0;
      return solver.iterate(team, theta.data(), f, should_stop).stop;
    };
    for (int i = 0; i <= kHistory; i++) iterate();
    EXPECT_GE(asked_before_evaluating, 2 * kHistory - 2);
    const std::vector<double> before = theta;
    const int most = asked_before_evaluating;
    for (cancel_at = 1; cancel_at <= most; cancel_at++) {
      EXPECT_EQ(iterate(), Lbfgs<double>::Stop::cancelled);
      EXPECT_EQ(theta, before);
    }
  });
}

TEST(Lbfgs, LeavesThetaAtTheLastIterateWhenCancelled) {
  const std::size_t n = 20;
  int evaluations = 0, cancel_at = 0;
  const auto f = [&](const double* x, double* g) {
    ++evaluations;
    return rosenbrock(n, x, g);
  };
  bool may_cancel = true;
  const auto should_stop = [&] { return may_cancel && evaluations == cancel_at; };
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    for (cancel_at = 1; cancel_at < 40; ++cancel_at) {
      evaluations = 0;
      may_cancel = true;
      Lbfgs<double> solver(n, 5, 1e-9);
      std::vector<double> theta(n, -1), before;
      auto iteration = typename Lbfgs<double>::Iteration{};
      do {
        before = theta;
        iteration = solver.iterate(team, theta.data(), f, should_stop);
      } while (iteration.stop == Lbfgs<double>::Stop::none);
      ASSERT_EQ(iteration.stop, Lbfgs<double>::Stop::cancelled);
      EXPECT_EQ(evaluations, cancel_at);
      EXPECT_EQ(theta, before);

      // It can be taken up again.
      may_cancel = false;
      do iteration = solver.iterate(team, theta.data(), f, should_stop);
      while (iteration.stop == Lbfgs<double>::Stop::none);
      EXPECT_EQ(iteration.stop, Lbfgs<double>::Stop::tolerance);
      EXPECT_LT(iteration.cost, 1e-12);
    }
  });
}

template <typename T>
void expect_same_bits() {
  const std::size_t n = 50001;
  const Quadratic<T> f(n, 1e3);
  const auto one = minimise<T>(f, std::vector<T>(n), 0, 12, 4, 1);
  EXPECT_EQ(one.iterations.size(), 12u);
  for (const int threads : {2, 3, 7}) {
    const auto path = minimise<T>(f, std::vector<T>(n), 0, 12, 4, threads);
    EXPECT_EQ(path.theta, one.theta) << threads;
    EXPECT_EQ(path.cost(), one.cost()) << threads;
    EXPECT_EQ(path.iterations.back().gradient_norm, one.iterations.back().gradient_norm) << threads;
  }
}

TEST(Lbfgs, GivesTheSameBitsAtAnyNumberOfThreads) {
  expect_same_bits<float>();
  expect_same_bits<double>();
}

}  // namespace
}  // namespace layerwise

#include "training/update/weight_constraint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "job_testing.h"
#include "naive_cost.h"

namespace layerwise {
namespace {

using Kind = WeightConstraint::Kind;
using Method = OptimizerOptions::Kind;

template <typename T>
class Projection : public testing::Test {};
TYPED_TEST_SUITE(Projection, Precisions);

template <typename T>
std::vector<T> projected(const WeightConstraint& constraint, const Network& network, std::vector<T> theta, int threads = 2) {
  ThreadPool pool;
  pool.run(threads, [&](Team& team) { project(team, constraint, network, theta.data()); });
  return theta;
}

// body(where it begins, length) for each row of each matrix, a tied one's once.
template <typename Body>
void each_row(const Network& network, Body&& body) {
  for (const DenseLayer& layer : network.layers) {
    if (layer.tied_to >= 0) continue;
    for (int i = 0; i < layer.outputs; i++) body(layer.weights_at + std::size_t(i) * layer.inputs, layer.inputs);
  }
}

template <typename T>
long double square_of(const std::vector<T>& theta, std::size_t from, int n) {
  long double sum = 0;
  for (int i = 0; i < n; i++) sum += static_cast<long double>(theta[from + i]) * theta[from + i];
  return sum;
}

template <typename T>
long double square_of(const std::vector<T>& theta, const Network& network) {
  long double sum = 0;
  each_row(network, [&](std::size_t from, int n) { sum += square_of(theta, from, n); });
  return sum;
}

template <typename T>
std::vector<long double> naive_projection(const WeightConstraint& constraint, const Network& network,
                                          const std::vector<T>& theta) {
  std::vector<long double> out(theta.begin(), theta.end());
  const long double all = square_of(theta, network);
  each_row(network, [&](std::size_t from, int n) {
    const long double square = constraint.kind == Kind::unit ? square_of(theta, from, n) : all;
    for (int i = 0; i < n && square > constraint.max; i++) out[from + i] *= std::sqrt(constraint.max / square);
  });
  return out;
}

// How much of the bound is used: the bound is kept at 1 and below.
template <typename T>
double used(const WeightConstraint& constraint, const Network& network, const std::vector<T>& theta) {
  long double most = 0;
  each_row(network, [&](std::size_t from, int n) { most = std::max(most, square_of(theta, from, n)); });
  return static_cast<double>((constraint.kind == Kind::unit ? most : square_of(theta, network)) / constraint.max);
}

std::vector<Network> networks() {
  return {autoencoder(17, 9), network_of({17, 5, 3}, Activation::tanh, Activation::softmax),
          tied_network({17, 9}, Activation::sigmoid, Activation::identity),
          tied_network({17, 9, 4}, Activation::sigmoid, Activation::identity, false)};
}

TYPED_TEST(Projection, MovesToTheNearestPointOfTheBallAndKeepsBiases) {
  using T = TypeParam;
  for (const Network& network : networks()) {
    const std::vector<T> theta = parameters_of<T>(network, 1);
    for (const WeightConstraint& constraint : {WeightConstraint{Kind::frobenius, 0.7}, WeightConstraint{Kind::unit, 0.2}}) {
      const auto got = projected(constraint, network, theta);
      const auto expected = naive_projection(constraint, network, theta);
      for (std::size_t i = 0; i < theta.size(); i++) {
        ASSERT_NEAR(got[i], expected[i], tolerance::kElement * kEpsilon<T> * std::fabs(expected[i]));
      }
      EXPECT_NEAR(used(constraint, network, got), 1, tolerance::kElement * kEpsilon<T>);
      for (const DenseLayer& layer : network.layers) {
        for (int j = 0; j < layer.outputs && layer.has_biases; j++)
          EXPECT_EQ(got[layer.biases_at + j], theta[layer.biases_at + j]);
      }
    }
  }
}

TYPED_TEST(Projection, KeepsTheBitsOfWeightsWithinTheBound) {
  using T = TypeParam;
  for (const Network& network : networks()) {
    const std::vector<T> theta = parameters_of<T>(network, 1);
    const double inside = 1.001 * static_cast<double>(square_of(theta, network));
    EXPECT_EQ(projected({Kind::frobenius, inside}, network, theta), theta);
    EXPECT_EQ(projected({Kind::unit, inside}, network, theta), theta);
    EXPECT_EQ(projected({}, network, theta), theta);
  }
}

TYPED_TEST(Projection, ByUnitDoesNotChangeRowsWithinTheBound) {
  using T = TypeParam;
  Network network;
  network.add(3, 2, Activation::sigmoid);
  network.add(2, 2, Activation::sigmoid, false);
  const std::vector<T> theta = {T(0.6), T(0.8), 0, 3, 0, 4, 50, 60, 1, 0, 0, -2};
  const double bound = 1.21;
  const std::vector<double> expected = {0.6, 0.8, 0, 0.66, 0, 0.88, 50, 60, 1, 0, 0, -1.1};
  const auto got = projected({Kind::unit, bound}, network, theta);
  for (std::size_t i = 0; i < theta.size(); i++) EXPECT_NEAR(got[i], expected[i], tolerance::kElement * kEpsilon<T>) << i;
  for (std::size_t i : {0, 1, 2, 6, 7, 8, 9}) EXPECT_EQ(got[i], theta[i]) << i;
}

TYPED_TEST(Projection, CountsATiedMatrixOnce) {
  using T = TypeParam;
  const Network tied = tied_network({6, 4}, Activation::sigmoid, Activation::sigmoid);
  const std::vector<T> theta = parameters_of<T>(tied, 1);
  const double square = static_cast<double>(square_of(theta, 0, 24));
  EXPECT_EQ(projected({Kind::frobenius, 1.001 * square}, tied, theta), theta);
  const auto half = projected({Kind::frobenius, square / 4}, tied, theta);
  for (int i = 0; i < 24; i++) EXPECT_NEAR(half[i], theta[i] / 2, tolerance::kElement * kEpsilon<T>);
}

TYPED_TEST(Projection, OfZerosOrOntoZeroIsZeroAndNaNStaysNaN) {
  using T = TypeParam;
  const Network network = network_of({4, 3}, Activation::identity, Activation::identity);
  const std::vector<T> zeros(network.parameters, T(0));
  for (Kind kind : {Kind::frobenius, Kind::unit}) {
    EXPECT_EQ(projected({kind, 0}, network, zeros), zeros);
    EXPECT_EQ(projected({kind, 1}, network, zeros), zeros);
    std::vector<T> theta = parameters_of<T>(network, 1);
    const auto none = projected({kind, 0}, network, theta);
    for (std::size_t i = 0; i < 12; i++) EXPECT_EQ(none[i], 0);
    theta[5] = kNaN<T>;
    EXPECT_TRUE(std::isnan(projected({kind, 0.1}, network, theta)[5]));
  }
}

TYPED_TEST(Projection, HasTheSameBitsAtAnyNumberOfThreads) {
  using T = TypeParam;
  for (const Network& network : {autoencoder(601, 439), tied_network({601, 439}, Activation::sigmoid, Activation::sigmoid)}) {
    const std::vector<T> theta = parameters_of<T>(network, 1);
    for (const WeightConstraint& constraint : {WeightConstraint{Kind::frobenius, 2}, WeightConstraint{Kind::unit, 0.3}}) {
      const auto one = projected(constraint, network, theta, 1);
      for (int threads : thread_counts()) EXPECT_TRUE(same_bits(one, projected(constraint, network, theta, threads)));
    }
  }
}

class ConstrainedTraining : public testing::Test {
 protected:
  static constexpr int kInputs = 7, kRows = 23;
  const std::vector<double> x = random_vector<double>(kRows * kInputs, 0.1, 0.9, 2);
  const Rows rows = rows_of(x, kInputs);
  const std::vector<Network> networks = {autoencoder(kInputs, 4),
                                         tied_network({kInputs, 4}, Activation::sigmoid, Activation::sigmoid)};
  const std::vector<WeightConstraint> constraints = {{Kind::frobenius, 0.8}, {Kind::unit, 0.15}};

  static TrainingOptions options(Method method, int batch, const WeightConstraint& constraint, bool fused = true) {
    TrainingOptions options = options_of(method, batch, fused);
    options.weight_constraint = constraint;
    return options;
  }
};

TEST_F(ConstrainedTraining, KeepsTheBoundAfterEveryStepInTheSameBitsInBothForms) {
  for (const Network& network : networks) {
    const std::vector<double> theta = parameters_of<double>(network, 1);
    const Objective objective = objective_of(network, Loss::squared, 0.01, {{0, PenaltyKind::kl, 0.2, 1, Average::batch}});
    for (const WeightConstraint& constraint : constraints) {
      for (Method method : {Method::gradient_descent, Method::momentum, Method::adam}) {
        ThreadPool pool;
        pool.run(2, [&](Team& team) {
          TrainingJob<double> fused(network, objective, options(method, 5, constraint), theta.data(), kRows);
          TrainingJob<double> split(network, objective, options(method, 5, constraint, false), theta.data(), kRows);
          for (int step = 0; step < 15; step++) {
            const Span span{step / 5, 0.5, 0};
            run(fused, team, rows, span, StopFlag());
            run(split, team, rows, span, StopFlag());
            const std::vector<double> at(fused.theta(), fused.theta() + network.parameters);
            EXPECT_LE(used(constraint, network, at), 1 + tolerance::kElement * kEpsilon<double>);
            EXPECT_TRUE(std::equal(at.begin(), at.end(), split.theta())) << step;
          }
        });
      }
    }
  }
}

TEST_F(ConstrainedTraining, IsProjectedGradientDescent) {
  constexpr double kRate = 0.5;
  for (const Network& network : networks) {
    const Objective objective = objective_of(network, Loss::squared, 0.01);
    for (const WeightConstraint& constraint : constraints) {
      std::vector<double> at = parameters_of<double>(network, 1);
      const auto got = train(network, objective, options(Method::gradient_descent, 0, constraint), at, rows, 3, kRate, 2);
      int active = 0;
      for (int step = 0; step < 3; step++) {
        const auto gradient = naive_gradient(network, objective, at, x);
        for (std::size_t i = 0; i < at.size(); i++) at[i] -= static_cast<double>(kRate * gradient[i]);
        active += used(constraint, network, at) > 1;
        const auto moved = naive_projection(constraint, network, at);
        at.assign(moved.begin(), moved.end());
      }
      EXPECT_GT(active, 0);
      for (std::size_t i = 0; i < at.size(); i++) EXPECT_NEAR(got.theta[i], at[i], tolerance::kTrained);
    }
  }
}

}  // namespace
}  // namespace layerwise

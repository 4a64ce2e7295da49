// A bound on the norm of each step's gradient.
#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "job_testing.h"
#include "naive_cost.h"

namespace layerwise {
namespace {

using Kind = OptimizerOptions::Kind;

constexpr int kInputs = 7, kRows = 11;

class Clipping : public testing::Test {
 protected:
  const Network network = autoencoder(kInputs, 4);
  const std::vector<double> theta = parameters_of<double>(network, 1);
  const std::vector<double> x = random_vector<double>(kRows * kInputs, 0.1, 0.9, 2);
  const Rows rows = rows_of(x, kInputs);
  // Decay is a large part of the gradient: where it is added makes a difference.
  const Objective objective = objective_of(network, Loss::squared, 0.5, {{0, PenaltyKind::l2, 0.2, 3, Average::exact}});

  static TrainingOptions options(Kind kind, double clip_norm, int batch = 0) {
    TrainingOptions options = options_of(kind, batch);
    options.clip_norm = clip_norm;
    return options;
  }
};

double norm_of(const std::vector<long double>& gradient) {
  long double squares = 0;
  for (const long double g : gradient) squares += g * g;
  return static_cast<double>(std::sqrt(squares));
}

TEST_F(Clipping, ScalesTheWholeGradientWithItsDecayToTheBound) {
  constexpr double kRate = 0.3, kMomentum = 0.9;
  constexpr int kSteps = 4;
  std::vector<double> at = theta;
  std::vector<long double> velocity(at.size(), 0);
  // The first steps are clipped, and the later ones, whose gradients are shorter, are not.
  const double bound = 0.6 * norm_of(naive_gradient(network, objective, at, x));
  const auto got = train(network, objective, options(Kind::momentum, bound), theta, rows, kSteps, kRate, 2);
  int clipped = 0;
  for (int step = 0; step < kSteps; step++) {
    const std::vector<long double> gradient = naive_gradient(network, objective, at, x);
    const double norm = norm_of(gradient);
    EXPECT_NEAR(got.spans[step].gradient_norm, norm, tolerance::kTrained);
    clipped += norm > bound;
    const long double factor = norm > bound ? bound / norm : 1;
    for (std::size_t i = 0; i < at.size(); i++) {
      velocity[i] = kMomentum * velocity[i] + factor * gradient[i];
      at[i] -= static_cast<double>(kRate * velocity[i]);
    }
  }
  EXPECT_GT(clipped, 0);
  EXPECT_LT(clipped, kSteps);
  for (std::size_t i = 0; i < at.size(); i++) EXPECT_NEAR(got.theta[i], at[i], tolerance::kTrained);
}

TEST_F(Clipping, ByABoundThatNoGradientReachesChangesNoBitOfTheParameters) {
  for (Kind kind : {Kind::adam, Kind::momentum, Kind::gradient_descent}) {
    for (int batch : {0, 5}) {
      const auto free = train(network, objective, options(kind, 0, batch), theta, rows, 2, 0.05, 2);
      const auto bounded = train(network, objective, options(kind, 1e9, batch), theta, rows, 2, 0.05, 2);
      EXPECT_TRUE(same_bits(free.theta, bounded.theta));
      EXPECT_NEAR(free.last().gradient_norm, bounded.last().gradient_norm, tolerance::kDot * free.last().gradient_norm);
    }
  }
}

TEST_F(Clipping, HasTheSameBitsAtAnyNumberOfThreadsAndInEitherForm) {
  constexpr int kWidth = 601, kMany = 151;
  const Network wide = autoencoder(kWidth, 439);
  ASSERT_GT(Plan::evaluation(wide, kMany, sizeof(float)).tiles.size(), 4u);
  const std::vector<float> start = parameters_of<float>(wide, 1), data = random_vector<float>(kMany * kWidth, 0.1, 0.9, 4);
  const Objective sparse = objective_of(wide, Loss::squared, 3e-3, {{0, PenaltyKind::kl, 0.1, 3, Average::exact}});
  TrainingOptions clipped = options(Kind::adam, 0.5), split = clipped;
  split.fused = false;
  const auto one = train(wide, sparse, clipped, start, rows_of(data, kWidth), 2, 0.01, 1);
  EXPECT_GT(one.last().gradient_norm, 0.5);
  for (int threads : thread_counts()) {
    expect_same_bits(one, train(wide, sparse, threads == 2 ? split : clipped, start, rows_of(data, kWidth), 2, 0.01, threads));
  }
}

TEST_F(Clipping, DoesNotHideThatAGradientIsNotFinite) {
  const Network linear = network_of({kInputs, 4, kInputs}, Activation::identity, Activation::identity);
  std::vector<double> huge = theta;
  for (double& value : huge) value *= 1e70;  // the cost is still finite, the squares of the gradient are not
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingJob<double> job(linear, objective_of(linear, Loss::squared, 0.0), options(Kind::gradient_descent, 1), huge.data(),
                            kRows);
    EXPECT_TRUE(run(job, team, rows, {0, 0.1, kWholeEpoch}, StopFlag()).diverged);
  });
}

}  // namespace
}  // namespace layerwise

// The penalty of kind constraint in evaluations, and the rounds in which its multipliers change.
#include <gtest/gtest.h>

#include <vector>

#include "job_testing.h"
#include "naive_cost.h"

namespace layerwise {
namespace {

using Kind = OptimizerOptions::Kind;

constexpr int kInputs = 6, kUnits = 3, kRows = 11;

class Constraint : public testing::Test {
 protected:
  const std::vector<double> x = random_vector<double>(kRows * kInputs, 0.1, 0.9, 4);
  const Rows rows = rows_of(x, kInputs);
  const std::vector<double> multipliers = {0.5, -0.2, 0.05};
  const Network network = autoencoder(kInputs, kUnits);
  const std::vector<double> theta = parameters_of<double>(network, 1);

  static Objective objective(const Network& network, double weight, std::vector<double> multipliers = {},
                             Average average = Average::exact) {
    return objective_of(network, Loss::squared, 0.01,
                        {{0, PenaltyKind::constraint, 0.2, weight, average, {}, std::move(multipliers)}});
  }
  Span span(int epoch, double rate, int round, double weight) const {
    return {epoch, rate, kWholeEpoch, round, weight, multipliers};
  }
};

TEST_F(Constraint, CostAndGradientAreRightForEveryActivation) {
  for (Activation hidden : kActivations) {
    for (const Network& any : {network_of({kInputs, kUnits, kInputs}, hidden, Activation::identity),
                               tied_network({kInputs, kUnits}, hidden, Activation::identity)}) {
      const std::vector<double> at = parameters_of<double>(any, 1);
      for (const auto& mu : {std::vector<double>(), multipliers}) {
        Objective constrained = objective(any, 4, mu);
        expect_right(any, constrained, at, x, evaluate(any, constrained, at, rows));
        constrained.penalties[0].targets = {0.1, 0.2, 0.4};
        expect_right(any, constrained, at, x, evaluate(any, constrained, at, rows));
      }
    }
  }
}

TEST_F(Constraint, SetLaterHasTheCostOfOneSetAtTheBeginning) {
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    const auto cost = [&](Evaluator<double>& evaluator) {
      std::vector<double> gradient(network.parameters);
      MemoryRows<double> source(rows);
      Evaluator<double>::Request request;
      request.theta = theta.data();
      request.rows = &source;
      request.count = kRows;
      request.gradient = gradient.data();
      CostParts parts;
      EXPECT_TRUE(evaluator.run(team, request, StopFlag(), parts));
      gradient.push_back(parts.total());
      return gradient;
    };
    Evaluator<double> first(network, objective(network, 4), kRows), second(network, objective(network, 16, multipliers), kRows);
    EXPECT_NE(cost(first), cost(second));
    first.set_constraint(16, multipliers);
    EXPECT_EQ(cost(first), cost(second));
  });
}

TEST_F(Constraint, DoesNotChangePenaltiesOfOtherKinds) {
  const Network deep = network_of({kInputs, kUnits, 2, kInputs}, Activation::sigmoid, Activation::sigmoid);
  Objective both = objective(deep, 4);
  both.penalties.push_back({1, PenaltyKind::l2, 0.1, 2, Average::exact});
  Objective changed = both;
  changed.penalties[0].weight = 16;
  changed.penalties[0].multipliers = multipliers;
  const std::vector<double> start = parameters_of<double>(deep, 1);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingJob<double> job(deep, both, options_of(Kind::adam, 0), start.data(), kRows);
    TrainingJob<double> fresh(deep, changed, options_of(Kind::adam, 0), start.data(), kRows);
    const SpanResult got = run(job, team, rows, span(0, 0.05, 1, 16), StopFlag());
    EXPECT_EQ(got.cost.sparsity, run(fresh, team, rows, {0, 0.05, kWholeEpoch}, StopFlag()).cost.sparsity);
    EXPECT_TRUE(std::equal(job.theta(), job.theta() + deep.parameters, fresh.theta()));
  });
}

TEST_F(Constraint, ANewRoundUsesItsWeightAndMultipliers) {
  constexpr double kRate = 0.3;
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingJob<double> job(network, objective(network, 4), options_of(Kind::gradient_descent, 0), theta.data(), kRows);
    std::vector<double> at = theta;
    for (int epoch = 0; epoch < 4; epoch++) {
      // Rounds 0 0 1 1; in round 0 the span's weight is ignored.
      const SpanResult got = run(job, team, rows, span(epoch, kRate, epoch / 2, 16), StopFlag());
      const Objective now = epoch < 2 ? objective(network, 4) : objective(network, 16, multipliers);
      expect_right_cost(naive_cost(network, now, {at.begin(), at.end()}, x), got.cost);
      const auto gradient = naive_gradient(network, now, at, x);
      for (std::size_t i = 0; i < at.size(); i++) at[i] -= static_cast<double>(kRate * gradient[i]);
      for (std::size_t i = 0; i < at.size(); i++) ASSERT_NEAR(job.theta()[i], at[i], tolerance::kTrained);
      at.assign(job.theta(), job.theta() + at.size());
    }
  });
}

TEST_F(Constraint, AnEpochOfMinibatchesReportsThePenaltyOfItsRound) {
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    const Objective start = objective(network, 4, {}, Average::batch);
    TrainingJob<double> job(network, start, options_of(Kind::gradient_descent, 4), theta.data(), kRows);
    for (int round : {0, 1}) {
      const SpanResult got = run(job, team, rows, span(round, 0.1, round, 16), StopFlag());
      const Penalty now = (round == 0 ? start : objective(network, 16, multipliers)).penalties[0];
      long double sparsity = 0;
      for (int j = 0; j < kUnits; j++) sparsity += naive_penalty(now, Activation::sigmoid, j, got.mean_activation[j]);
      EXPECT_NEAR(got.cost.sparsity, sparsity, tolerance::kCost);
    }
  });
}

// Curvature of the old objective would be wrong for the new one.
TEST_F(Constraint, LbfgsRestartsInANewRoundFromItsCurrentParameters) {
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingJob<double> job(network, objective(network, 4), options_of(Kind::lbfgs, 0), theta.data(), kRows);
    int epoch = 0;
    for (; epoch < 3; epoch++) run(job, team, rows, span(epoch, 0, 0, 4), StopFlag());
    TrainingJob<double> fresh(network, objective(network, 16, multipliers), options_of(Kind::lbfgs, 0), job.theta(), kRows);
    for (int i = 0; i < 3; i++, epoch++) {
      const SpanResult got = run(job, team, rows, span(epoch, 0, 1, 16), StopFlag());
      const SpanResult expected = run(fresh, team, rows, {i, 0, kWholeEpoch}, StopFlag());
      EXPECT_EQ(got.cost.total(), expected.cost.total());
      EXPECT_EQ(got.gradient_norm, expected.gradient_norm);
      EXPECT_EQ(got.evaluations, expected.evaluations);
      EXPECT_EQ(got.mean_activation, expected.mean_activation);
      EXPECT_TRUE(std::equal(job.theta(), job.theta() + network.parameters, fresh.theta()));
    }
  });
}

// mu + c (mean - rho) after each round: the means reach the target though the weight stays small.
TEST_F(Constraint, RoundsOfMultipliersReachTheTarget) {
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    constexpr double kWeight = 2, kTarget = 0.2;
    TrainingJob<double> job(network, objective(network, kWeight), options_of(Kind::lbfgs, 0), theta.data(), kRows);
    Span now{0, 0, kWholeEpoch, 0, kWeight, std::vector<double>(kUnits, 0)};
    double first = 0, last = 0;
    for (; now.round < 8; now.round++) {
      SpanResult got;
      for (int i = 0; i < 30 && got.stopped == nullptr; i++, now.epoch++) got = run(job, team, rows, now, StopFlag());
      last = 0;
      for (int j = 0; j < kUnits; j++) {
        const double apart = got.mean_activation[j] - kTarget;
        now.multipliers[j] += kWeight * apart;
        last = std::max(last, std::fabs(apart));
      }
      if (now.round == 0) first = last;
    }
    EXPECT_LT(last, first / 100);
  });
}

}  // namespace
}  // namespace layerwise

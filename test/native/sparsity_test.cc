#include "network/sparsity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "naive_cost.h"

namespace layerwise {
namespace {

// Value and pull of unit `unit` of `units`, the others being at their targets.
void expect_as_defined(const Penalty& penalty, Activation f, int units, int unit, double r) {
  const bool halved = f == Activation::tanh;
  std::vector<double> mean(units);
  for (int j = 0; j < units; j++) mean[j] = j == unit ? r : (penalty.targets.empty() ? penalty.target : penalty.targets[j]);
  for (double& value : mean) value = halved ? 2 * value - 1 : value;
  long double value = 0;
  for (int j = 0; j < units; j++) value += naive_penalty(penalty, f, j, mean[j]);
  EXPECT_NEAR(penalty_value(penalty, f, mean.data(), units), value, tolerance::kCost * (1 + std::fabs(value))) << r;

  const long double step = 1e-10L;
  const long double slope =
      (naive_penalty(penalty, f, unit, mean[unit] + step) - naive_penalty(penalty, f, unit, mean[unit] - step)) / (2 * step);
  const int m = 40;
  std::vector<double> pull(units);
  penalty_pull(penalty, f, mean.data(), units, m, pull.data());
  EXPECT_NEAR(pull[unit], slope / m, tolerance::kPull * (1 + std::fabs(slope / m))) << r;
}

TEST(Sparsity, ValueAndGradientFollowTheDefinitionInsideAndOnTheTangents) {
  for (PenaltyKind kind : {PenaltyKind::kl, PenaltyKind::l2, PenaltyKind::constraint}) {
    for (Activation f : {Activation::sigmoid, Activation::tanh}) {
      const Penalty penalty{0, kind, 0.15, 2.5, Average::exact};
      for (double r : {0.0, 1e-9, 9e-7, 2e-6, 0.01, 0.15, 0.5, 0.99, 1 - 2e-6, 1 - 9e-7, 1.0}) {
        expect_as_defined(penalty, f, 1, 0, r);
      }
    }
  }
}

TEST(Sparsity, SupportsATargetAndMultiplierForEachUnit) {
  for (PenaltyKind kind : {PenaltyKind::l2, PenaltyKind::constraint}) {
    for (Activation f : {Activation::sigmoid, Activation::tanh, Activation::identity}) {
      Penalty penalty{0, kind, 0.15, 2.5, Average::exact, {0.1, 0.2, 0.6}, {}};
      if (kind == PenaltyKind::constraint) penalty.multipliers = {0.5, -3, 0};
      for (int unit = 0; unit < 3; unit++) {
        for (double r : {0.0, 0.1, 0.2, 0.6, 1.0}) expect_as_defined(penalty, f, 3, unit, r);
      }
    }
  }
}

TEST(Sparsity, ASatisfiedConstraintStillHasTheGradientOfItsMultiplier) {
  const Penalty penalty{0, PenaltyKind::constraint, 0.25, 8, Average::exact, {}, {0.5, -2}};
  for (Activation f : {Activation::sigmoid, Activation::tanh}) {
    const double met = f == Activation::tanh ? -0.5 : 0.25, means[] = {met, met};
    EXPECT_EQ(penalty_value(penalty, f, means, 2), 0);
    double pull[2];
    penalty_pull(penalty, f, means, 2, 1, pull);
    const double half = f == Activation::tanh ? 0.5 : 1;
    EXPECT_EQ(pull[0], half * 0.5);
    EXPECT_EQ(pull[1], half * -2);
  }
}

TEST(Sparsity, IsZeroAtTheTargetAndItsGradientHasTheSignOfTheDistance) {
  const Penalty penalty{0, PenaltyKind::kl, 0.15, 2, Average::exact};
  const double means[] = {0.15, 0.05, 0.4};
  float pull[3];
  penalty_pull(penalty, Activation::sigmoid, means, 3, 10, pull);
  EXPECT_EQ(penalty_value(penalty, Activation::sigmoid, means, 1), 0);
  EXPECT_NEAR(pull[0], 0, 1e-7);
  EXPECT_LT(pull[1], 0);
  EXPECT_GT(pull[2], 0);
}

TEST(Sparsity, UnderTanhAnInactiveUnitHasTheMeanZero) {
  const Penalty penalty{0, PenaltyKind::l2, 0.2, 1, Average::exact};
  const double silent = -1, on_target = 2 * 0.2 - 1;
  EXPECT_DOUBLE_EQ(penalty_value(penalty, Activation::tanh, &silent, 1), 0.04);
  EXPECT_NEAR(penalty_value(penalty, Activation::tanh, &on_target, 1), 0, tolerance::kCost);
  double pull = 0;
  penalty_pull(penalty, Activation::tanh, &silent, 1, 1, &pull);
  EXPECT_DOUBLE_EQ(pull, 0.5 * 2 * (0 - 0.2));
}

TEST(Sparsity, NaNStaysNaN) {
  const double nan = std::numeric_limits<double>::quiet_NaN();
  for (PenaltyKind kind : {PenaltyKind::kl, PenaltyKind::l2, PenaltyKind::constraint}) {
    const Penalty penalty{0, kind, 0.2, 1, Average::exact};
    double pull = 0;
    penalty_pull(penalty, Activation::sigmoid, &nan, 1, 1, &pull);
    EXPECT_TRUE(std::isnan(pull));
    EXPECT_TRUE(std::isnan(penalty_value(penalty, Activation::sigmoid, &nan, 1)));
  }
}

}  // namespace
}  // namespace layerwise

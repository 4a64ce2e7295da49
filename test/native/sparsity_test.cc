#include "sparsity.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <vector>

#include "naive_cost.h"

namespace layerwise {
namespace {

TEST(Sparsity, ValueAndPullFollowTheDefinitionInsideAndOutsideTheTangents) {
  for (PenaltyKind kind : {PenaltyKind::kl, PenaltyKind::l2}) {
    for (Activation f : {Activation::sigmoid, Activation::tanh}) {
      const Penalty penalty{0, kind, 0.15, 2.5, Average::exact};
      for (double r : {0.0, 1e-9, 9e-7, 2e-6, 0.01, 0.15, 0.5, 0.99, 1 - 2e-6, 1 - 9e-7, 1.0}) {
        const double mean = f == Activation::tanh ? 2 * r - 1 : r;
        const long double value = penalty.weight * naive_divergence(penalty, f, mean);
        EXPECT_NEAR(penalty_value(penalty, f, &mean, 1), value, tolerance::kCost * (1 + std::fabs(value))) << r;

        const long double step = 1e-10L;
        const long double slope =
            penalty.weight * (naive_divergence(penalty, f, mean + step) - naive_divergence(penalty, f, mean - step)) / (2 * step);
        const int m = 40;
        double pull = 0;
        penalty_pull(penalty, f, &mean, 1, m, &pull);
        EXPECT_NEAR(pull, slope / m, tolerance::kPull * (1 + std::fabs(slope / m))) << r;
      }
    }
  }
}

TEST(Sparsity, IsZeroAtTheTargetAndPullsTowardsIt) {
  const Penalty penalty{0, PenaltyKind::kl, 0.15, 2, Average::exact};
  const double means[] = {0.15, 0.05, 0.4};
  float pull[3];
  penalty_pull(penalty, Activation::sigmoid, means, 3, 10, pull);
  EXPECT_EQ(penalty_value(penalty, Activation::sigmoid, means, 1), 0);
  EXPECT_NEAR(pull[0], 0, 1e-7);
  EXPECT_LT(pull[1], 0);
  EXPECT_GT(pull[2], 0);
}

TEST(Sparsity, UnderTanhASilentUnitHasTheMeanZero) {
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
  for (PenaltyKind kind : {PenaltyKind::kl, PenaltyKind::l2}) {
    const Penalty penalty{0, kind, 0.2, 1, Average::exact};
    double pull = 0;
    penalty_pull(penalty, Activation::sigmoid, &nan, 1, 1, &pull);
    EXPECT_TRUE(std::isnan(pull));
    EXPECT_TRUE(std::isnan(penalty_value(penalty, Activation::sigmoid, &nan, 1)));
  }
}

}  // namespace
}  // namespace layerwise

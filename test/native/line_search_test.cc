#include "training/update/line_search.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <string>
#include <utility>

namespace layerwise {
namespace {

using Function = std::function<double(double x, double& slope)>;

// Along one line: a function of the step itself.
LineSearch search(const Function& f, double first_step, int& evaluations, LinePoint& start) {
  start.cost = f(0, start.slope);
  return strong_wolfe(start, first_step, 0, [&](LinePoint& point) {
    ++evaluations;
    point.cost = f(point.step, point.slope);
    return true;
  });
}

// Functions 1 and 2 of Moré and Thuente 1994, and one with many minima.
double rational(double x, double& slope) {
  slope = (x * x - 2) / std::pow(x * x + 2, 2);
  return -x / (x * x + 2);
}
double quintic(double x, double& slope) {
  const double u = x + 0.004;
  slope = 5 * std::pow(u, 4) - 8 * std::pow(u, 3);
  return std::pow(u, 5) - 2 * std::pow(u, 4);
}
double wavy(double x, double& slope) {
  slope = 2 * (x - 3) + 40 * std::cos(20 * x + 2);
  return (x - 3) * (x - 3) + 2 * std::sin(20 * x + 2);
}

TEST(StrongWolfe, IsSatisfiedAtTheStepFound) {
  for (const auto& [f, name] :
       {std::pair{Function(rational), "rational"}, {Function(quintic), "quintic"}, {Function(wavy), "wavy"}}) {
    for (const double first : {1e-4, 1e-2, 1.0, 1e2, 1e4}) {
      SCOPED_TRACE(std::string(name) + " from " + std::to_string(first));
      int evaluations = 0;
      LinePoint start;
      const auto [outcome, point] = search(f, first, evaluations, start);
      ASSERT_LT(start.slope, 0);
      ASSERT_EQ(outcome, LineSearch::Outcome::found);
      EXPECT_GT(point.step, 0);
      EXPECT_LE(point.cost, start.cost + 1e-4 * point.step * start.slope);
      EXPECT_LE(std::fabs(point.slope), 0.9 * std::fabs(start.slope));
      EXPECT_LE(evaluations, 25);
    }
  }
}

TEST(StrongWolfe, StepsBackFromARegionThatIsNotFinite) {
  // Defined below 1e-3 only, its minimum close to that edge.
  const Function f = [](double x, double& slope) {
    const double room = 1e-3 - x;
    slope = -1e4 + 1 / room;
    return -1e4 * x - std::log(room);
  };
  int evaluations = 0;
  LinePoint start;
  const auto [outcome, point] = search(f, 1000, evaluations, start);
  ASSERT_EQ(outcome, LineSearch::Outcome::found);
  EXPECT_GT(point.step, 0);
  EXPECT_LT(point.step, 1e-3);
  EXPECT_LE(std::fabs(point.slope), 0.9 * std::fabs(start.slope));
}

TEST(StrongWolfe, FailsIfTheSlopeIsWrong) {
  int evaluations = 0;
  LinePoint start;
  const Function rising = [](double x, double& slope) {
    slope = -1;
    return x;
  };
  EXPECT_EQ(search(rising, 1, evaluations, start).outcome, LineSearch::Outcome::failed);
  EXPECT_LE(evaluations, 25);
}

TEST(StrongWolfe, UsesTheSlopeIfCostsDifferByLessThanRounding) {
  // 1e-6 (x - 1)^2 plus 1e9: the sum rounds to 1e9, so costs do not show where the minimum is.
  LinePoint start{0, 1e9, -2e-6};
  const auto [outcome, point] = strong_wolfe(start, 64, 1e-5, [](LinePoint& at) {
    at.cost = 1e9;
    at.slope = 2e-6 * (at.step - 1);
    return true;
  });
  ASSERT_EQ(outcome, LineSearch::Outcome::found);
  EXPECT_NEAR(point.step, 1, 0.9);
}

}  // namespace
}  // namespace layerwise

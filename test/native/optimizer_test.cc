#include "training/update/optimizer.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "vector_testing.h"

namespace layerwise {
namespace {

using Kind = OptimizerOptions::Kind;

constexpr std::size_t kParameters = 2500;
constexpr int kSteps = 7;

// The published rules, element by element.
struct Naive {
  OptimizerOptions options;
  std::vector<long double> theta, first, second;

  // Returns the squared norm of the gradient used.
  long double step(const std::vector<long double>& g, int t, double rate, double decay) {
    long double squares = 0;
    for (std::size_t i = 0; i < theta.size(); i++) {
      const long double used = g[i] + decay * theta[i];
      squares += used * used;
      if (options.kind == Kind::gradient_descent) {
        theta[i] -= rate * used;
      } else if (options.kind == Kind::momentum) {
        first[i] = options.momentum * first[i] + used;
        theta[i] -= rate * first[i];
      } else {
        first[i] = options.beta1 * first[i] + (1 - options.beta1) * used;
        second[i] = options.beta2 * second[i] + (1 - options.beta2) * used * used;
        const long double m = first[i] / (1 - std::pow(static_cast<long double>(options.beta1), t));
        const long double v = second[i] / (1 - std::pow(static_cast<long double>(options.beta2), t));
        theta[i] -= rate * m / (std::sqrt(v) + options.epsilon);
      }
    }
    return squares;
  }
};

template <typename T>
class OptimizerTest : public testing::Test {};
TYPED_TEST_SUITE(OptimizerTest, Precisions);

TYPED_TEST(OptimizerTest, FollowsThePublishedRulesOverSeveralSteps) {
  using T = TypeParam;
  for (Kind kind : {Kind::gradient_descent, Kind::momentum, Kind::adam}) {
    for (double decay : {0.0, 0.03}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(kind) << " decay " << decay);
      OptimizerOptions options;
      options.kind = kind;
      options.momentum = 0.8;
      options.beta1 = 0.85;
      options.beta2 = 0.99;
      options.epsilon = 1e-6;
      Optimizer<T> optimizer(options, kParameters);
      std::vector<T> theta = random_vector<T>(kParameters, -1, 1, 1);
      Naive naive{
          options, {theta.begin(), theta.end()}, std::vector<long double>(kParameters), std::vector<long double>(kParameters)};
      for (int t = 1; t <= kSteps; t++) {
        const std::vector<T> g = random_vector<T>(kParameters, -1, 1, 10 + t);
        const double rate = 0.01 * t;
        // A step that was begun and not kept, as where it was stopped, does not count.
        optimizer.begin(2 * rate);
        optimizer.begin(rate);
        // Two blocks and one step number, as when threads share a step.
        const std::size_t half = 1111;
        const double norm =
            optimizer.update(theta.data(), g.data(), 0, half, static_cast<T>(decay), true) +
            optimizer.update(theta.data(), g.data() + half, half, kParameters - half, static_cast<T>(decay), true);
        optimizer.keep();
        const long double expected = naive.step({g.begin(), g.end()}, t, rate, decay);
        EXPECT_NEAR(norm, expected, tolerance::kNormOfParts * kEpsilon<T> * expected);
      }
      for (std::size_t i = 0; i < kParameters; i++) {
        ASSERT_NEAR(theta[i], naive.theta[i], tolerance::kSteps * kSteps * kEpsilon<T>) << i;
      }
    }
  }
}

TYPED_TEST(OptimizerTest, GivesTheSameBitsWithAndWithoutTheNorm) {
  using T = TypeParam;
  for (Kind kind : {Kind::gradient_descent, Kind::momentum, Kind::adam}) {
    OptimizerOptions options;
    options.kind = kind;
    std::vector<T> with = random_vector<T>(kParameters, -1, 1, 1), without = with;
    const std::vector<T> g = random_vector<T>(kParameters, -1, 1, 2);
    Optimizer<T> one(options, kParameters), other(options, kParameters);
    one.begin(0.1);
    other.begin(0.1);
    EXPECT_GT(one.update(with.data(), g.data(), 0, kParameters, T(0.01), true), 0);
    EXPECT_EQ(other.update(without.data(), g.data(), 0, kParameters, T(0.01), false), 0);
    EXPECT_EQ(with, without);
  }
}

TYPED_TEST(OptimizerTest, HasAsManyVectorsAsItsRuleNeeds) {
  EXPECT_EQ(Optimizer<TypeParam>::state_vectors(Kind::gradient_descent), 0);
  EXPECT_EQ(Optimizer<TypeParam>::state_vectors(Kind::momentum), 1);
  EXPECT_EQ(Optimizer<TypeParam>::state_vectors(Kind::adam), 2);
}

}  // namespace
}  // namespace layerwise

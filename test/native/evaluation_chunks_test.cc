// Evaluations of more rows than are worked on at once.
#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "naive_cost.h"

namespace layerwise {
namespace {

constexpr int kWidth = 6, kRows = 1200;
// The shortest chunks; activations of the first of two passes kept, and computed again.
constexpr EvaluationMemory kKept = {0, std::size_t{1} << 30}, kComputedAgain = {0, 0};

template <typename T>
std::vector<T> rows() {
  return random_vector<T>(static_cast<std::size_t>(kRows) * kWidth, 0.1, 0.9, 4);
}

struct Case {
  Network network;
  Objective objective;
};

// Means over all rows, for which two passes are needed, and none.
std::vector<Case> cases() {
  const Network two = network_of({kWidth, 3, kWidth}, Activation::sigmoid, Activation::sigmoid);
  const Network four = network_of({kWidth, 3, 2, 3, kWidth}, Activation::sigmoid, Activation::identity);
  const Network tied = tied_network({kWidth, 3, 2}, Activation::tanh, Activation::identity);
  const Network unbiased = tied_network({kWidth, 3}, Activation::sigmoid, Activation::sigmoid, false);
  Network storing;  // slopes, of which the first two layers keep theirs between two passes
  storing.add(kWidth, 3, Activation::gelu);
  storing.add(3, 4, Activation::silu);
  storing.add(4, 3, Activation::elu);
  storing.add(3, kWidth, Activation::gelu);
  const Network tied_storing = tied_network({kWidth, 3, 2}, Activation::elu, Activation::silu);
  return {{two, objective_of(two, Loss::cross_entropy, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}})},
          {two, objective_of(two, Loss::euclidean, 0.01, {{0, PenaltyKind::l1, 0, 0.5, Average::exact}})},
          {two, objective_of(two, Loss::squared, 0.01)},
          {four, objective_of(four, Loss::squared, 0.01,
                              {{0, PenaltyKind::l2, 0.1, 1, Average::exact},
                               {1, PenaltyKind::kl, 0.2, 3, Average::exact},
                               {2, PenaltyKind::l1, 0, 0.5, Average::exact}})},
          {tied, objective_of(tied, Loss::squared, 0.01,
                              {{1, PenaltyKind::constraint, 0.1, 3, Average::exact, {0.1, 0.3}, {-0.4, 0.7}},
                               {2, PenaltyKind::l2, 0.2, 1, Average::exact}})},
          {storing, objective_of(storing, Loss::squared, 0.01,
                                 {{1, PenaltyKind::l2, 0.3, 1, Average::exact},
                                  {0, PenaltyKind::l1, 0, 0.5, Average::exact},
                                  {2, PenaltyKind::l1, 0, 0.5, Average::exact}})},
          {tied_storing, objective_of(tied_storing, Loss::euclidean, 0.01, {{0, PenaltyKind::l2, 0.3, 1, Average::exact}})},
          {unbiased, objective_of(unbiased, Loss::cross_entropy, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}})}};
}

TEST(EvaluationInChunks, EqualsThatOfAllRowsTogether) {
  const std::vector<double> x = rows<double>();
  for (const Case& c : cases()) {
    ASSERT_EQ(Plan::evaluation(c.network, kRows, sizeof(double), kKept.chunk).chunks.count, 3);
    ASSERT_EQ(Plan::evaluation(c.network, kRows, sizeof(double)).chunks.count, 1);
    const std::vector<double> theta = parameters_of<double>(c.network, 2);
    const NaiveCost naive = naive_cost(c.network, c.objective, {theta.begin(), theta.end()}, x);
    const auto gradient = naive_gradient(c.network, c.objective, theta, x);
    const int layer = c.objective.penalties.empty() ? 0 : c.objective.penalties[0].layer;
    for (const EvaluationMemory& memory : {kKept, kComputedAgain, EvaluationMemory()}) {
      const Evaluated<double> got = evaluate(c.network, c.objective, theta, rows_of(x, kWidth), 2, memory);
      expect_right_cost(naive, got.parts);
      for (std::size_t j = 0; j < got.means.size(); j++) EXPECT_NEAR(got.means[j], naive.means[layer][j], tolerance::kMean);
      EXPECT_LT(gradient_error(got.gradient, gradient), tolerance::kGradient);
    }
  }
}

template <typename T>
void expect_same_bits_kept_and_computed_again() {
  const std::vector<T> x = rows<T>();
  for (const Case& c : cases()) {
    const std::vector<T> theta = parameters_of<T>(c.network, 2);
    const auto kept = evaluate(c.network, c.objective, theta, rows_of(x, kWidth), 2, kKept);
    const auto again = evaluate(c.network, c.objective, theta, rows_of(x, kWidth), 3, kComputedAgain);
    expect_same_bits(kept, again);
  }
}

TEST(EvaluationInChunks, HasTheSameBitsWhetherActivationsAreKeptOrComputedAgain) {
  expect_same_bits_kept_and_computed_again<float>();
  expect_same_bits_kept_and_computed_again<double>();
}

TEST(EvaluationInChunks, GathersRowsInAnyOrder) {
  std::vector<std::uint32_t> order(kRows);
  for (int i = 0; i < kRows; i++) order[i] = static_cast<std::uint32_t>(i * 7 % kRows);
  const std::vector<double> x = rows<double>();
  const std::vector<double> ordered = taken(x, kWidth, order);
  Rows gathered = rows_of(x, kWidth);
  gathered.order = order.data();
  for (const Case& c : cases()) {
    const std::vector<double> theta = parameters_of<double>(c.network, 2);
    const auto by_order = evaluate(c.network, c.objective, theta, gathered, 2, kKept);
    const auto in_place = evaluate(c.network, c.objective, theta, rows_of(ordered, kWidth), 2, kKept);
    expect_same_bits(by_order, in_place);
  }
}

TEST(EvaluationInChunks, IsCorrectForFewerRowsThanItsMaximum) {
  const Case c = cases()[3];
  const std::vector<double> x = rows<double>(), theta = parameters_of<double>(c.network, 2);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    Evaluator<double> evaluator(c.network, c.objective, kRows, kKept);
    MemoryRows<double> source(rows_of(x, kWidth));
    for (int count : {kRows, 700, 100, 1, 600, 50, 10, kRows}) {
      Evaluator<double> alone(c.network, c.objective, count, kKept);
      std::vector<double> gradient(c.network.parameters), expected = gradient;
      Evaluator<double>::Request request;
      request.theta = theta.data();
      request.rows = &source;
      request.first = kRows - count;
      request.count = count;
      request.gradient = gradient.data();
      CostParts parts, expected_parts;
      EXPECT_TRUE(evaluator.run(team, request, StopFlag(), parts));
      request.gradient = expected.data();
      EXPECT_TRUE(alone.run(team, request, StopFlag(), expected_parts));
      EXPECT_EQ(gradient, expected) << count;
      EXPECT_EQ(parts.total(), expected_parts.total()) << count;
    }
  });
}

// Layers between small and large, more rows than one product over rows may take.
TEST(EvaluationOfManyRows, IsRightForNarrowLayersAndWideOnes) {
  for (const auto& [width, hidden] : {std::pair(40, 50), std::pair(130, 70)}) {
    const Network network = network_of({width, hidden, width}, Activation::sigmoid, Activation::identity);
    const Objective objective = objective_of(network, Loss::squared, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}});
    const std::vector<double> theta = parameters_of<double>(network, 2);
    const std::vector<double> x = random_vector<double>(static_cast<std::size_t>(1103) * width, 0.1, 0.9, 4);
    expect_right_along(network, objective, theta, x, evaluate(network, objective, theta, rows_of(x, width), 3));
  }
}

}  // namespace
}  // namespace layerwise

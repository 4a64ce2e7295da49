// Evaluations of more rows than are worked on at once.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "naive_cost.h"

namespace layerwise {
namespace {

constexpr int kWidth = 4100, kRows = 1030;
constexpr std::size_t kNothingKept = 0;

std::vector<double> wide_rows() { return random_vector<double>(static_cast<std::size_t>(kRows) * kWidth, 0.1, 0.9, 4); }

struct Case {
  Network network;
  Objective objective;
};

// A mean over all rows that two passes are needed for, and none.
std::vector<Case> cases() {
  const Network two = network_of({kWidth, 3, kWidth}, Activation::sigmoid, Activation::identity);
  const Network four = network_of({kWidth, 3, 2, 3, kWidth}, Activation::sigmoid, Activation::identity);
  return {{two, objective_of(two, Loss::squared, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}})},
          {two, objective_of(two, Loss::euclidean, 0.01, {{0, PenaltyKind::l1, 0, 0.5, Average::exact}})},
          {four, objective_of(four, Loss::squared, 0.01,
                              {{0, PenaltyKind::l2, 0.1, 1, Average::exact},
                               {1, PenaltyKind::kl, 0.2, 3, Average::exact},
                               {2, PenaltyKind::l1, 0, 0.5, Average::exact}})}};
}

TEST(EvaluationInChunks, IsThatOfAllRowsTogether) {
  const std::vector<double> x = wide_rows();
  for (const Case& c : cases()) {
    ASSERT_GT(Plan::evaluation(c.network, kRows, sizeof(double)).chunks.count, 2);
    const std::vector<double> theta = parameters_of<double>(c.network, 2);
    const Evaluated<double> got = evaluate(c.network, c.objective, theta, rows_of(x, kWidth));
    const NaiveCost naive = naive_cost(c.network, c.objective, {theta.begin(), theta.end()}, x);
    EXPECT_NEAR(got.parts.loss, naive.loss, tolerance::kCost * naive.loss);
    EXPECT_NEAR(got.parts.weight_decay, naive.weight_decay, tolerance::kCost * naive.weight_decay);
    EXPECT_NEAR(got.parts.sparsity, naive.sparsity, tolerance::kCost * (1 + naive.sparsity));
    for (std::size_t j = 0; j < got.means.size(); j++) EXPECT_NEAR(got.means[j], naive.means[0][j], tolerance::kMean);

    const std::vector<double> direction = random_vector<double>(theta.size(), -1, 1, 9);
    const double along = std::inner_product(direction.begin(), direction.end(), got.gradient.begin(), 0.0);
    const long double slope = naive_slope(c.network, c.objective, theta, x, {direction.begin(), direction.end()});
    EXPECT_LT(gradient_error({along}, {slope}), tolerance::kGradient);
  }
}

template <typename T>
void expect_same_bits_kept_and_computed_again() {
  const std::vector<double> values = wide_rows();
  const std::vector<T> x(values.begin(), values.end());
  for (const Case& c : cases()) {
    ASSERT_GT(Plan::evaluation(c.network, kRows, sizeof(T)).chunks.count, 1);
    const std::vector<T> theta = parameters_of<T>(c.network, 2);
    const auto kept = evaluate(c.network, c.objective, theta, rows_of(x, kWidth), 2);
    const auto again = evaluate(c.network, c.objective, theta, rows_of(x, kWidth), 3, kNothingKept);
    EXPECT_TRUE(same_bits(kept.gradient, again.gradient));
    EXPECT_EQ(kept.parts.total(), again.parts.total());
    EXPECT_EQ(kept.means, again.means);
  }
}

TEST(EvaluationInChunks, HasTheSameBitsWhetherActivationsAreKeptOrComputedAgain) {
  expect_same_bits_kept_and_computed_again<float>();
  expect_same_bits_kept_and_computed_again<double>();
}

TEST(EvaluationInChunks, GathersRowsInAnyOrder) {
  const Case c = cases()[0];
  const std::vector<double> x = wide_rows(), theta = parameters_of<double>(c.network, 2);
  std::vector<std::uint32_t> order(kRows);
  for (int i = 0; i < kRows; i++) order[i] = static_cast<std::uint32_t>(i * 7 % kRows);
  std::vector<double> ordered;
  for (std::uint32_t row : order)
    ordered.insert(ordered.end(), x.begin() + std::size_t(row) * kWidth, x.begin() + std::size_t(row + 1) * kWidth);
  Rows rows = rows_of(x, kWidth);
  rows.order = order.data();
  const auto gathered = evaluate(c.network, c.objective, theta, rows);
  const auto in_place = evaluate(c.network, c.objective, theta, rows_of(ordered, kWidth));
  EXPECT_TRUE(same_bits(gathered.gradient, in_place.gradient));
  EXPECT_EQ(gathered.parts.total(), in_place.parts.total());
}

}  // namespace
}  // namespace layerwise

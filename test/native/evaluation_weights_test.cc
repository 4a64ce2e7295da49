// Evaluations of rows that do not all count the same.
#include <gtest/gtest.h>

#include <vector>

#include "naive_cost.h"

namespace layerwise {
namespace {

constexpr int kWidth = 6, kRows = 1200;
// The shortest chunks; activations of the first of two passes kept, and computed again.
constexpr EvaluationMemory kKept = {0, std::size_t{1} << 30}, kComputedAgain = {0, 0};

struct Case {
  Network network;
  Objective objective;
};

// Means over all rows, for which two passes are needed, and none; slopes that are stored.
std::vector<Case> cases() {
  const Network two = network_of({kWidth, 3, kWidth}, Activation::sigmoid, Activation::sigmoid);
  const Network four = network_of({kWidth, 3, 2, 3, kWidth}, Activation::gelu, Activation::identity);
  return {{two, objective_of(two, Loss::cross_entropy, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}})},
          {two, objective_of(two, Loss::euclidean, 0.01, {{0, PenaltyKind::l1, 0, 0.5, Average::exact}})},
          {two, objective_of(two, Loss::absolute, 0.01)},
          {four, objective_of(four, Loss::squared, 0.01,
                              {{0, PenaltyKind::l2, 0.1, 1, Average::exact},
                               {1, PenaltyKind::l1, 0, 0.5, Average::exact},
                               {2, PenaltyKind::l2, 0.3, 1, Average::exact}})}};
}

std::vector<double> weights() {
  std::vector<double> of_row(kRows);
  for (int i = 0; i < kRows; i++) of_row[i] = i * 7 % 4;
  return of_row;
}

TEST(EvaluationOfWeightedRows, EqualsThatOfRepeatedRowsInChunksAndTogether) {
  const std::vector<double> x = random_vector<double>(static_cast<std::size_t>(kRows) * kWidth, 0.1, 0.9, 4), of_row = weights();
  std::vector<std::uint32_t> repeated;
  for (int i = 0; i < kRows; i++) repeated.insert(repeated.end(), static_cast<std::size_t>(of_row[i]), i);
  const std::vector<double> often = taken(x, kWidth, repeated);
  Rows weighted = rows_of(x, kWidth);
  weighted.weights = of_row.data();
  for (const Case& c : cases()) {
    const std::vector<double> theta = parameters_of<double>(c.network, 2);
    const Evaluated<double> expected = evaluate(c.network, c.objective, theta, rows_of(often, kWidth), 2);
    for (const EvaluationMemory& memory : {kKept, kComputedAgain, EvaluationMemory()}) {
      const Evaluated<double> got = evaluate(c.network, c.objective, theta, weighted, 2, memory);
      EXPECT_NEAR(got.parts.loss, expected.parts.loss, tolerance::kMean);
      EXPECT_NEAR(got.parts.sparsity, expected.parts.sparsity, tolerance::kMean);
      for (std::size_t j = 0; j < got.means.size(); j++) EXPECT_NEAR(got.means[j], expected.means[j], tolerance::kMean);
      EXPECT_LT(gradient_error(got.gradient, {expected.gradient.begin(), expected.gradient.end()}), tolerance::kGradient);
    }
  }
}

TEST(EvaluationOfWeightedRows, HasTheSameBitsWhetherActivationsAreKeptOrComputedAgain) {
  const std::vector<float> x = random_vector<float>(static_cast<std::size_t>(kRows) * kWidth, 0.1, 0.9, 4);
  const std::vector<double> of_row = weights();
  Rows weighted = rows_of(x, kWidth);
  weighted.weights = of_row.data();
  for (const Case& c : cases()) {
    const std::vector<float> theta = parameters_of<float>(c.network, 2);
    const auto kept = evaluate(c.network, c.objective, theta, weighted, 1, kKept);
    const auto again = evaluate(c.network, c.objective, theta, weighted, 3, kComputedAgain);
    expect_same_bits(kept, again);
  }
}

TEST(EvaluationOfWeightedRows, TakesWeightsByRowOfTheDataWhateverTheOrder) {
  const std::vector<double> x = random_vector<double>(static_cast<std::size_t>(kRows) * kWidth, 0.1, 0.9, 4), of_row = weights();
  std::vector<std::uint32_t> order(kRows / 2);
  for (std::size_t i = 0; i < order.size(); i++) order[i] = static_cast<std::uint32_t>(i * 7 % kRows);
  const std::vector<double> ordered = taken(x, kWidth, order), ordered_weights = taken(of_row, 1, order);
  Rows gathered = rows_of(x, kWidth), in_place = rows_of(ordered, kWidth);
  gathered.order = order.data();
  gathered.count = static_cast<int>(order.size());
  gathered.weights = of_row.data();
  in_place.weights = ordered_weights.data();
  for (const Case& c : cases()) {
    const std::vector<double> theta = parameters_of<double>(c.network, 2);
    expect_same_bits(evaluate(c.network, c.objective, theta, gathered, 2, kKept),
                     evaluate(c.network, c.objective, theta, in_place, 2, kKept));
  }
}

}  // namespace
}  // namespace layerwise

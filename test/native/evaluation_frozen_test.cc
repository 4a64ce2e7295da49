// Rows that pass through frozen layers before the network.
#include <gtest/gtest.h>

#include <vector>

#include "job_testing.h"
#include "naive_cost.h"

namespace layerwise {
namespace {

constexpr int kCols = 7, kInputs = 4, kRows = 11;

// Layers with and without biases, and one stored the other way round.
std::vector<Network> frozen_networks() {
  Network deep;
  deep.add(kCols, 6, Activation::tanh);
  deep.add(6, 9, Activation::relu, false);
  deep.add(9, kInputs, Activation::sigmoid, true, true);
  Network unbiased;
  unbiased.add(kCols, kInputs, Activation::sigmoid, false);
  return {network_of({kCols, kInputs}, Activation::sigmoid, Activation::sigmoid), unbiased, deep};
}

// What `frozen` makes of rows [rows, kCols].
std::vector<double> made(const FrozenLayers& frozen, const std::vector<double>& x) {
  const double* theta = static_cast<const double*>(frozen.theta);
  const std::vector<long double> wide(theta, theta + frozen.network.parameters);
  std::vector<double> out;
  for (std::size_t at = 0; at < x.size(); at += kCols) {
    const auto a = naive_pass(frozen.network, wide, &x[at]).a.back();
    out.insert(out.end(), a.begin(), a.end());
  }
  return out;
}

Network learning() { return network_of({kInputs, 3, kInputs}, Activation::sigmoid, Activation::sigmoid); }

Objective objective_for(const Network& network) {
  return objective_of(network, Loss::squared, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}});
}

TEST(EvaluationOfFrozenLayers, EqualsThatOfPrecomputedCodes) {
  const Network network = learning();
  const std::vector<double> theta = parameters_of<double>(network, 1), x = random_vector<double>(kRows * kCols, -1, 1, 2);
  for (const Network& before : frozen_networks()) {
    const std::vector<double> weights = parameters_of<double>(before, 3);
    const FrozenLayers frozen{before, weights.data()};
    const std::vector<double> codes = made(frozen, x);
    Rows rows = rows_of(x, kCols);
    for (Loss loss : kLosses) {
      Objective objective = objective_for(network);
      objective.loss = loss;
      const auto got = evaluate(network, objective, theta, {rows, &frozen});
      expect_right(network, objective, theta, codes, got);
      const auto beforehand = evaluate(network, objective, theta, rows_of(codes, kInputs));
      EXPECT_LT(gradient_error(got.gradient, beforehand.gradient), tolerance::kSameGradient * kEpsilon<double>);
      for (std::size_t j = 0; j < got.means.size(); j++) EXPECT_NEAR(got.means[j], beforehand.means[j], tolerance::kMean);
    }
  }
}

TEST(EvaluationOfFrozenLayers, ReadsBytesShiftsAndAnyOrder) {
  const Network network = learning();
  const std::vector<double> theta = parameters_of<double>(network, 1);
  std::vector<std::uint8_t> bytes(kRows * kCols);
  for (std::size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<std::uint8_t>(i * 37 % 251);
  const std::vector<double> shift = random_vector<double>(kCols, 0, 0.1, 2), factor = random_vector<double>(kCols, 0.5, 1, 3);
  const std::vector<std::uint32_t> order = {8, 1, 1, 0, 5, 7};
  std::vector<double> x;
  for (std::size_t i = 0; i < bytes.size(); i++) x.push_back((bytes[i] / 255.0 - shift[i % kCols]) * factor[i % kCols]);
  Rows rows = rows_of(bytes, kCols);
  rows.scale = 1.0 / 255;
  rows.scaling.shift = shift.data();
  rows.scaling.factor = factor.data();
  rows.order = order.data();
  rows.count = static_cast<int>(order.size());
  for (const Network& before : frozen_networks()) {
    const std::vector<double> weights = parameters_of<double>(before, 3);
    const FrozenLayers frozen{before, weights.data()};
    expect_right(network, objective_for(network), theta, made(frozen, taken(x, kCols, order)),
                 evaluate(network, objective_for(network), theta, {rows, &frozen}));
  }
}

TEST(EvaluationOfFrozenLayers, CombinesLabelsWithTheCodesOfTheirRows) {
  const Network network = network_of({kInputs, 3}, Activation::sigmoid, Activation::softmax);
  const Objective objective = objective_of(network, Loss::log_loss, 0.01);
  const std::vector<double> theta = parameters_of<double>(network, 1), x = random_vector<double>(kRows * kCols, -1, 1, 2);
  const auto labels = labels_of(kRows, 3, 5);
  const std::vector<std::uint32_t> order = {8, 1, 1, 0, 5, 7};
  const Network before = frozen_networks().back();
  const std::vector<double> weights = parameters_of<double>(before, 3);
  const FrozenLayers frozen{before, weights.data()};
  Rows rows = rows_of(x, kCols);
  rows.labels = labels.data();
  rows.order = order.data();
  rows.count = static_cast<int>(order.size());
  const NaiveRows codes{made(frozen, taken(x, kCols, order)), taken(labels, 1, order)};
  expect_right(network, objective, theta, codes, evaluate(network, objective, theta, {rows, &frozen}));
}

TEST(EvaluationOfFrozenLayers, CorruptsTheCodesAndComparesWithTheCleanCodes) {
  const Network network = learning();
  const std::vector<double> theta = parameters_of<double>(network, 1), x = random_vector<double>(kRows * kCols, -1, 1, 2);
  const Network before = frozen_networks().back();
  const std::vector<double> weights = parameters_of<double>(before, 3);
  const FrozenLayers frozen{before, weights.data()};
  const Noise noise({Corruption::Kind::masking, 0.4}, 5, 1, 2);
  const std::vector<double> codes = made(frozen, x);
  std::vector<double> noisy(codes.size());
  for (int i = 0; i < kRows; i++) noise.corrupt(i, &codes[i * kInputs], kInputs, &noisy[i * kInputs]);
  Rows rows = rows_of(x, kCols);
  expect_right(network, objective_for(network), theta, {noisy, codes},
               evaluate(network, objective_for(network), theta, {rows, &frozen}, 2, {}, &noise));
}

TEST(EvaluationOfFrozenLayers, InChunksAndAtAnyNumberOfThreadsIsThatOfAllRowsTogether) {
  constexpr EvaluationMemory kept = {0, std::size_t{1} << 30}, computed_again = {0, 0};
  const Network network = learning();
  const std::vector<double> theta = parameters_of<double>(network, 1), x = random_vector<double>(1200 * kCols, -1, 1, 2);
  const Network before = frozen_networks().back();
  const std::vector<double> weights = parameters_of<double>(before, 3);
  const FrozenLayers frozen{before, weights.data()};
  Rows rows = rows_of(x, kCols);
  const auto got = evaluate(network, objective_for(network), theta, {rows, &frozen}, 1, kept);
  expect_right(network, objective_for(network), theta, made(frozen, x), got);
  for (int threads : thread_counts()) {
    expect_same_bits(got, evaluate(network, objective_for(network), theta, {rows, &frozen}, threads, computed_again));
  }
}

TEST(EvaluationOfFrozenLayers, CountsTheFrozenLayersIntoTheMemoryOfAChunk) {
  const Network network = learning(), wide = network_of({5000, kInputs}, Activation::sigmoid, Activation::sigmoid);
  const std::vector<float> weights(wide.parameters), x(5000);
  const FrozenLayers frozen{wide, weights.data()};
  EvaluationMemory memory;
  memory.row_scratch = make_source<float>(rows_of(x, 5000), &frozen)->scratch_elements();
  Evaluator<float> alone(network, objective_for(network), 100'000), through(network, objective_for(network), 100'000, memory);
  EXPECT_EQ(alone.plan(100'000).chunks.count, 1);
  const std::size_t rows = through.plan(100'000).chunks.length(0);
  EXPECT_LE(rows * 5000 * sizeof(float), Plan::kChunkBytes);
}

TEST(TrainingThrough, EqualsTrainingOnPrecomputedCodes) {
  using Kind = OptimizerOptions::Kind;
  const Network network = learning();
  const std::vector<double> theta = parameters_of<double>(network, 1), x = random_vector<double>(kRows * kCols, -1, 1, 2);
  const Network before = frozen_networks().back();
  const std::vector<double> weights = parameters_of<double>(before, 3);
  const FrozenLayers frozen{before, weights.data()};
  const std::vector<double> codes = made(frozen, x);
  Rows rows = rows_of(x, kCols);
  for (Kind kind : {Kind::gradient_descent, Kind::lbfgs}) {
    const TrainingOptions options = options_of(kind, kind == Kind::lbfgs ? 0 : 3);
    const auto got = train(network, objective_for(network), options, theta, {rows, &frozen}, 3, 0.3, 2);
    const auto beforehand = train(network, objective_for(network), options, theta, rows_of(codes, kInputs), 3, 0.3, 2);
    for (std::size_t i = 0; i < theta.size(); i++) EXPECT_NEAR(got.theta[i], beforehand.theta[i], tolerance::kTrained);
    EXPECT_NEAR(got.last().cost.total(), beforehand.last().cost.total(), tolerance::kTrained);
  }
  EXPECT_EQ(weights, parameters_of<double>(before, 3));
}

}  // namespace
}  // namespace layerwise

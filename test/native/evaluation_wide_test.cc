// Layers so wide that their rows are padded.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "naive_cost.h"
#include "network/forward.h"

namespace layerwise {
namespace {

constexpr int kInputs = 5, kWide = 131, kWider = 145, kRows = 1100;

std::vector<double> rows() { return random_vector<double>(std::size_t{kRows} * kInputs, 0.1, 0.9, 4); }

TEST(StrideFor, IsAnOddNumberOfCacheLinesForWideRows) {
  EXPECT_EQ(stride_for(1), 1u);
  EXPECT_EQ(stride_for(127), 127u);
  EXPECT_EQ(stride_for(128), 144u);
  EXPECT_EQ(stride_for(784), 784u);
  EXPECT_EQ(stride_for(1000), 1008u);
  for (int cols = 128; cols < 3000; cols++) {
    ASSERT_GE(stride_for(cols), static_cast<std::size_t>(cols));
    ASSERT_LE(stride_for(cols), static_cast<std::size_t>(cols) + 31);
    ASSERT_EQ(stride_for(cols) % 32, 16u);
  }
}

TEST(EvaluationOfWideLayers, IsCorrectInOneChunkAndInMore) {
  const Network plain = network_of({kInputs, kWide, 7, kWider, kInputs}, Activation::sigmoid, Activation::identity);
  const Network tied = tied_network({kInputs, kWide, kWider}, Activation::tanh, Activation::identity);
  const std::vector<double> x = rows();
  for (const Network& network : {plain, tied}) {
    const Objective objective =
        objective_of(network, Loss::squared, 0.01,
                     {{0, PenaltyKind::kl, 0.2, 3, Average::exact}, {2, PenaltyKind::l2, 0.1, 0.5, Average::exact}});
    const std::vector<double> theta = parameters_of<double>(network, 2);
    const NaiveAlong naive(network, objective, theta, x);
    for (const EvaluationMemory& memory :
         {EvaluationMemory(), EvaluationMemory{0, std::size_t{1} << 30}, EvaluationMemory{0, 0}}) {
      naive.expect_right(evaluate(network, objective, theta, rows_of(x, kInputs), 2, memory));
    }
  }
}

TEST(EvaluationOfWideLayers, IsRightWithManyClasses) {
  const Network network = network_of({kInputs, kWide, kWider}, Activation::sigmoid, Activation::softmax);
  const Objective objective = objective_of(network, Loss::log_loss, 0.01);
  const std::vector<double> x = rows(), theta = parameters_of<double>(network, 2);
  const std::vector<std::uint32_t> labels = labels_of(kRows, kWider, 5);
  Rows labelled = rows_of(x, kInputs);
  labelled.labels = labels.data();
  expect_right_along(network, objective, theta, {x, labels}, evaluate(network, objective, theta, labelled, 2));
}

TEST(EvaluationOfWideLayers, IsCorrectBehindFrozenWideLayers) {
  const Network before = network_of({kInputs, kWide, 4}, Activation::tanh, Activation::sigmoid);
  const std::vector<double> weights = parameters_of<double>(before, 3), x = rows();
  const FrozenLayers frozen{before, weights.data()};
  std::vector<double> codes;
  for (int i = 0; i < kRows; i++) {
    const auto a = naive_pass(before, {weights.begin(), weights.end()}, &x[i * kInputs]).a.back();
    codes.insert(codes.end(), a.begin(), a.end());
  }
  const Network network = network_of({4, kWider, 4}, Activation::sigmoid, Activation::identity);
  const Objective objective = objective_of(network, Loss::squared, 0.01);
  const std::vector<double> theta = parameters_of<double>(network, 2);
  expect_right_along(network, objective, theta, codes, evaluate(network, objective, theta, {rows_of(x, kInputs), &frozen}, 2));
}

TEST(ForwardThroughWideLayers, GivesTheClassesAndErrorsOfItsOutputs) {
  const Network network = network_of({kWide, kWider, kWide}, Activation::tanh, Activation::softmax);
  const std::vector<double> x = random_vector<double>(std::size_t{300} * kWide, 0, 1, 4),
                            theta = parameters_of<double>(network, 2);
  std::vector<double> out(x.size()), errors(300);
  std::vector<std::uint32_t> classes(300);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    FirstBadRow bad;
    MemoryRows<double> source(rows_of(x, kWide));
    ForwardRequest<double> request;
    request.network = &network;
    request.theta = theta.data();
    request.rows = &source;
    request.out = out.data();
    request.result = ForwardResult::outputs;
    EXPECT_TRUE(forward(team, request, StopFlag(), bad));
    request.out = nullptr;
    request.errors = errors.data();
    request.result = ForwardResult::errors;
    EXPECT_TRUE(forward(team, request, StopFlag(), bad));
    request.classes = classes.data();
    request.result = ForwardResult::classes;
    EXPECT_TRUE(forward(team, request, StopFlag(), bad));
  });
  for (int i = 0; i < 300; i++) {
    const auto a = naive_pass(network, {theta.begin(), theta.end()}, &x[i * kWide]).a.back();
    long double sum = 0;
    for (int j = 0; j < kWide; j++) {
      ASSERT_NEAR(out[i * kWide + j], a[j], tolerance::kLayers * kEpsilon<double>);
      sum += (a[j] - x[i * kWide + j]) * (a[j] - x[i * kWide + j]);
    }
    ASSERT_NEAR(errors[i], sum, 2 * kWide * tolerance::kLayers * kEpsilon<double>);
    ASSERT_EQ(classes[i], static_cast<std::uint32_t>(std::max_element(a.begin(), a.end()) - a.begin()));
  }
}

}  // namespace
}  // namespace layerwise

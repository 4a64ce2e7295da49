// Softmax outputs against labels.
#include <gtest/gtest.h>

#include <numeric>
#include <vector>

#include "job_testing.h"
#include "naive_cost.h"
#include "network/forward.h"

namespace layerwise {
namespace {

constexpr int kInputs = 5, kClasses = 4, kRows = 9;

struct Labelled {
  std::vector<double> x;
  std::vector<std::uint32_t> labels;
  Rows rows;

  explicit Labelled(int count)
      : x(random_vector<double>(static_cast<std::size_t>(count) * kInputs, 0, 1, 4)), labels(labels_of(count, kClasses, 5)) {
    rows = rows_of(x, kInputs);
    rows.labels = labels.data();
  }
};

Objective classifying(const Network& network, std::vector<Penalty> penalties = {}, std::vector<double> class_weights = {}) {
  Objective objective = objective_of(network, Loss::log_loss, 0.02, std::move(penalties));
  objective.class_weights = std::move(class_weights);
  return objective;
}

std::vector<Network> networks() {
  Network unbiased;
  unbiased.add(kInputs, kClasses, Activation::softmax, false);
  return {network_of({kInputs, kClasses}, Activation::sigmoid, Activation::softmax), unbiased,
          network_of({kInputs, 3, kClasses}, Activation::sigmoid, Activation::softmax),
          network_of({kInputs, 4, 3, 2, kClasses}, Activation::tanh, Activation::softmax)};
}

TEST(EvaluationOfLabels, CostAndGradientAreRightAtEveryDepthWeightedOrNot) {
  const Labelled data(kRows);
  for (const Network& network : networks()) {
    const std::vector<double> theta = parameters_of<double>(network, 1);
    for (const auto& weights : {std::vector<double>(), std::vector<double>{0.5, 0, 3, 1.25}}) {
      const Objective objective = classifying(network, {}, weights);
      expect_right(network, objective, theta, {data.x, data.labels}, evaluate(network, objective, theta, data.rows));
    }
  }
}

TEST(EvaluationOfLabels, SupportsPenaltiesOnHiddenLayers) {
  const Labelled data(kRows);
  const Network network = networks().back();
  const std::vector<double> theta = parameters_of<double>(network, 1);
  for (PenaltyKind kind : {PenaltyKind::kl, PenaltyKind::l2, PenaltyKind::l1}) {
    const Objective objective =
        classifying(network, {{1, kind, 0.2, 2, Average::exact}, {0, PenaltyKind::l2, 0.4, 1, Average::exact}}, {1, 2, 3, 0.5});
    expect_right(network, objective, theta, {data.x, data.labels}, evaluate(network, objective, theta, data.rows));
  }
}

TEST(EvaluationOfLabels, ReadsLabelsByRowOfTheDataInAnyOrderAndOfBytes) {
  std::vector<std::uint8_t> bytes(kRows * kInputs);
  for (std::size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<std::uint8_t>(i * 37 % 251);
  const auto labels = labels_of(kRows, kClasses, 5);
  const std::vector<std::uint32_t> order = {8, 1, 1, 0, 5, 7};
  std::vector<double> scaled;
  for (std::uint8_t byte : bytes) scaled.push_back(byte / 255.0);
  for (const Network& network : networks()) {
    const std::vector<double> theta = parameters_of<double>(network, 1);
    const Objective objective = classifying(network, {}, {0.5, 1, 3, 1.25});
    Rows rows = rows_of(bytes, kInputs);
    rows.scale = 1.0 / 255;
    rows.labels = labels.data();
    expect_right(network, objective, theta, {scaled, labels}, evaluate(network, objective, theta, rows));
    rows.order = order.data();
    rows.count = static_cast<int>(order.size());
    const NaiveRows ordered{taken(scaled, kInputs, order), taken(labels, 1, order)};
    expect_right(network, objective, theta, ordered, evaluate(network, objective, theta, rows));
  }
}

TEST(EvaluationOfLabels, InChunksIsThatOfAllRowsTogether) {
  constexpr EvaluationMemory kept = {0, std::size_t{1} << 30}, computed_again = {0, 0};
  const Labelled data(1200);
  const Network network = networks()[2];
  const std::vector<double> theta = parameters_of<double>(network, 1);
  for (const auto& penalties : {std::vector<Penalty>(), std::vector<Penalty>{{0, PenaltyKind::kl, 0.2, 3, Average::exact}}}) {
    const Objective objective = classifying(network, penalties, {0.5, 1, 3, 1.25});
    ASSERT_EQ(Plan::evaluation(network, 1200, sizeof(double), kept.chunk).chunks.count, 3);
    const auto got = evaluate(network, objective, theta, data.rows, 2, kept);
    expect_right(network, objective, theta, {data.x, data.labels}, got);
    expect_same_bits(got, evaluate(network, objective, theta, data.rows, 3, computed_again));
  }
}

TEST(EvaluationOfLabels, WithoutAGradientHasTheSameCost) {
  const Labelled data(kRows);
  for (const Network& network : networks()) {
    const std::vector<double> theta = parameters_of<double>(network, 1);
    const Objective objective = classifying(network, {}, {0.5, 1, 3, 1.25});
    const auto whole = evaluate(network, objective, theta, data.rows);
    ThreadPool pool;
    pool.run(2, [&](Team& team) {
      Evaluator<double> evaluator(network, objective, kRows);
      MemoryRows<double> source(data.rows);
      Evaluator<double>::Request request;
      request.theta = theta.data();
      request.rows = &source;
      request.count = kRows;
      CostParts parts;
      EXPECT_TRUE(evaluator.run(team, request, StopFlag(), parts));
      EXPECT_EQ(parts.total(), whole.parts.total());
    });
  }
}

TEST(EvaluationOfLabels, PredictsAndCountsCorrectRowsInEveryChunk) {
  constexpr EvaluationMemory little = {0, 0};
  const Labelled data(1200);
  for (const Network& network : networks()) {
    const std::vector<double> theta = parameters_of<double>(network, 1);
    const Objective objective = classifying(network);
    std::vector<std::uint32_t> classes(1200, ~0u), predicted(1200, ~0u);
    ThreadPool pool;
    pool.run(2, [&](Team& team) {
      MemoryRows<double> source(data.rows);
      ForwardRequest<double> forward_request;
      forward_request.network = &network;
      forward_request.theta = theta.data();
      forward_request.rows = &source;
      forward_request.result = ForwardResult::classes;
      forward_request.classes = classes.data();
      FirstBadRow bad;
      EXPECT_TRUE(forward(team, forward_request, StopFlag(), bad));

      Evaluator<double> evaluator(network, objective, 1200, little);
      Evaluator<double>::Request request;
      request.theta = theta.data();
      request.rows = &source;
      request.count = 1200;
      request.predicted = predicted.data();
      CostParts parts;
      EXPECT_TRUE(evaluator.run(team, request, StopFlag(), parts));
      int right = 0;
      for (int i = 0; i < 1200; i++) right += classes[i] == data.labels[i] ? 1 : 0;
      EXPECT_EQ(parts.correct, right);
      EXPECT_GT(right, 0);
    });
    EXPECT_EQ(predicted, classes);
  }
}

TEST(EvaluationOfLabels, IsFiniteForLogitsOfAnySize) {
  const Labelled data(kRows);
  const Network network = networks()[0];
  const Objective objective = objective_of(network, Loss::log_loss, 0);
  const std::vector<float> x(data.x.begin(), data.x.end());
  Rows rows = rows_of(x, kInputs);
  rows.labels = data.labels.data();
  for (float size : {500.0f, 1e30f}) {
    std::vector<float> theta = parameters_of<float>(network, 1);
    for (float& value : theta) value *= size;
    const auto got = evaluate(network, objective, theta, rows);
    EXPECT_TRUE(std::isfinite(got.parts.loss));
    EXPECT_GT(got.parts.loss, size / 100);
    for (float g : got.gradient) EXPECT_LE(std::fabs(g), 1);
  }
}

// The labels go with their rows through every shuffle.
TEST(TrainingOfLabels, FollowsTheShuffle) {
  const Labelled data(23);
  std::vector<std::uint32_t> reversed(23);
  std::iota(reversed.rbegin(), reversed.rend(), 0);
  const std::vector<double> reordered_x = taken(data.x, kInputs, reversed);
  const std::vector<std::uint32_t> reordered_labels = taken(data.labels, 1, reversed);
  Rows by_order = data.rows, reordered = rows_of(reordered_x, kInputs);
  by_order.order = reversed.data();
  reordered.labels = reordered_labels.data();
  const Network network = networks()[2];
  const std::vector<double> theta = parameters_of<double>(network, 1);
  for (Shuffling shuffle : {Shuffling::none, Shuffling::rows}) {
    TrainingOptions options = options_of(OptimizerOptions::Kind::adam, 5);
    options.shuffle = shuffle;
    const auto read = train(network, classifying(network), options, theta, by_order, 2, 0.05, 2);
    expect_same_bits(read, train(network, classifying(network), options, theta, reordered, 2, 0.05, 2));
    EXPECT_FALSE(same_bits(read.theta, train(network, classifying(network), options, theta, data.rows, 2, 0.05, 2).theta));
  }
}

TEST(TrainingOfLabels, LearnsASeparableProblem) {
  const Labelled data(60);
  // The class of a row is its largest input of the first four.
  std::vector<std::uint32_t> labels;
  for (int i = 0; i < 60; i++) {
    const auto row = data.x.begin() + i * kInputs;
    labels.push_back(static_cast<std::uint32_t>(std::max_element(row, row + kClasses) - row));
  }
  Rows rows = data.rows;
  rows.labels = labels.data();
  const Network network = networks()[0];
  const std::vector<double> theta(network.parameters, 0);
  const Objective objective = objective_of(network, Loss::log_loss, 1e-6);
  const auto got = train(network, objective, options_of(OptimizerOptions::Kind::lbfgs, 0), theta, rows, 40, 0, 2);
  EXPECT_LT(got.last().cost.total(), 0.1 * got.spans[0].cost.total());
}

}  // namespace
}  // namespace layerwise

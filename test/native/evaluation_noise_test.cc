// Noise on the inputs: the loss stays against the clean rows.
#include <gtest/gtest.h>

#include <algorithm>
#include <vector>

#include "base/random.h"
#include "job_testing.h"
#include "naive_cost.h"

namespace layerwise {
namespace {

using Kind = Corruption::Kind;
using Method = OptimizerOptions::Kind;

constexpr int kInputs = 6, kRows = 11;
constexpr Corruption kCorruptions[] = {{Kind::masking, 0.3}, {Kind::gaussian, 0.2}, {Kind::salt_and_pepper, 0.3, 0.1, 0.9}};

// The network's input for rows of x, which are the rows of the data in `order`.
NaiveRows noisy(const Noise& noise, const std::vector<double>& x, const std::vector<std::uint32_t>& order) {
  std::vector<double> out(x.size());
  for (std::size_t i = 0; i < order.size(); i++) noise.corrupt(order[i], &x[i * kInputs], kInputs, &out[i * kInputs]);
  return {out, x};
}

std::vector<std::uint32_t> in_order(std::size_t rows) {
  std::vector<std::uint32_t> order(rows);
  for (std::size_t i = 0; i < rows; i++) order[i] = static_cast<std::uint32_t>(i);
  return order;
}

NaiveRows noisy(const Noise& noise, const std::vector<double>& x) { return noisy(noise, x, in_order(x.size() / kInputs)); }

std::vector<double> rows(int count) { return random_vector<double>(static_cast<std::size_t>(count) * kInputs, 0.1, 0.9, 4); }

const Network network = network_of({kInputs, 3, kInputs}, Activation::sigmoid, Activation::sigmoid);

Objective objective_with(Loss loss) { return objective_of(network, loss, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}}); }

TEST(NoisyEvaluation, ComparesOutputsOfNoisyRowsWithTheCleanRows) {
  const std::vector<double> theta = parameters_of<double>(network, 1), x = rows(kRows), before = x;
  for (const Corruption& corruption : kCorruptions) {
    const Noise noise(corruption, 5, 1, 2);
    for (Loss loss : kLosses) {
      const auto got = evaluate(network, objective_with(loss), theta, rows_of(x, kInputs), 2, {}, &noise);
      expect_right(network, objective_with(loss), theta, noisy(noise, x), got);
    }
    for (const Network& other : {network_of({kInputs, kInputs}, Activation::tanh, Activation::sigmoid),
                                 tied_network({kInputs, 4, 2}, Activation::tanh, Activation::identity)}) {
      const std::vector<double> parameters = parameters_of<double>(other, 1);
      const Objective objective = objective_of(other, Loss::squared, 0.01);
      const auto got = evaluate(other, objective, parameters, rows_of(x, kInputs), 2, {}, &noise);
      expect_right(other, objective, parameters, noisy(noise, x), got);
    }
  }
  EXPECT_EQ(x, before);
}

TEST(NoisyEvaluation, NoiseDependsOnTheRowOfTheDataNotOnItsPlaceInTheBatch) {
  const std::vector<double> theta = parameters_of<double>(network, 1);
  std::vector<std::uint8_t> bytes(kRows * kInputs);
  for (std::size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<std::uint8_t>(60 + i * 37 % 150);
  std::vector<double> x;
  for (std::uint8_t byte : bytes) x.push_back(byte / 255.0);
  const std::vector<std::uint32_t> order = {8, 1, 1, 0, 5, 7};
  const Objective objective = objective_with(Loss::cross_entropy);
  Rows of_bytes = rows_of(bytes, kInputs), of_doubles = rows_of(x, kInputs);
  of_bytes.scale = 1.0 / 255;
  for (Rows rows : {of_bytes, of_doubles}) {
    rows.order = order.data();
    rows.count = static_cast<int>(order.size());
    for (const Corruption& corruption : kCorruptions) {
      const Noise noise(corruption, 5, 1, 2);
      const auto got = evaluate(network, objective, theta, rows, 2, {}, &noise);
      expect_right(network, objective, theta, noisy(noise, taken(x, kInputs, order), order), got);
    }
  }
}

TEST(NoisyEvaluation, BothPassesOverChunksUseTheSameNoise) {
  constexpr int kMany = 1200;
  constexpr EvaluationMemory kept = {0, std::size_t{1} << 30}, computed_again = {0, 0};
  const std::vector<double> theta = parameters_of<double>(network, 1), x = rows(kMany);
  const auto order = in_order(kMany);
  Rows ordered = rows_of(x, kInputs);
  ordered.order = order.data();
  const Objective objective = objective_with(Loss::squared);
  ASSERT_EQ(Plan::evaluation(network, kMany, sizeof(double), kept.chunk).chunks.count, 3);
  for (const Corruption& corruption : kCorruptions) {
    const Noise noise(corruption, 5, 1, 2);
    const auto got = evaluate(network, objective, theta, rows_of(x, kInputs), 2, kept, &noise);
    expect_right(network, objective, theta, noisy(noise, x), got);
    expect_same_bits(got, evaluate(network, objective, theta, rows_of(x, kInputs), 3, computed_again, &noise));
    expect_same_bits(got, evaluate(network, objective, theta, ordered, 2, computed_again, &noise));
  }
}

TEST(NoisyEvaluation, OfAmountZeroHasTheBitsOfNone) {
  const std::vector<double> theta = parameters_of<double>(network, 1), x = rows(kRows);
  const Objective objective = objective_with(Loss::squared);
  const auto clean = evaluate(network, objective, theta, rows_of(x, kInputs));
  for (Corruption corruption : kCorruptions) {
    corruption.amount = 0;
    const Noise noise(corruption, 5, 1, 2);
    expect_same_bits(clean, evaluate(network, objective, theta, rows_of(x, kInputs), 2, {}, &noise));
  }
}

TEST(NoisyEvaluation, ClassifiesNoisyRowsToo) {
  const Network classifier = network_of({kInputs, 4, 3}, Activation::tanh, Activation::softmax);
  const Objective objective = objective_of(classifier, Loss::log_loss, 0.01);
  const std::vector<double> theta = parameters_of<double>(classifier, 1), x = rows(kRows);
  const auto labels = labels_of(kRows, 3, 5);
  const Noise noise(kCorruptions[0], 5, 1, 2);
  Rows labelled = rows_of(x, kInputs);
  labelled.labels = labels.data();
  const auto got = evaluate(classifier, objective, theta, labelled, 2, {}, &noise);
  expect_right(classifier, objective, theta, {noisy(noise, x).x, labels}, got);
}

class NoisyTraining : public testing::Test {
 protected:
  const std::vector<double> theta = parameters_of<double>(network, 1), x = rows(kRows);
  const Objective objective = objective_of(network, Loss::squared, 0.02, {{0, PenaltyKind::l2, 0.2, 3, Average::batch}});

  static TrainingOptions options(Method method, int batch, const Corruption& corruption) {
    TrainingOptions options = options_of(method, batch);
    options.fit = 3;
    options.corruption = corruption;
    return options;
  }
};

TEST_F(NoisyTraining, DrawsNewNoiseForEachRowInEveryEpoch) {
  constexpr double kRate = 0.3;
  for (const Corruption& corruption : kCorruptions) {
    for (int batch : {4, 0}) {
      const TrainingOptions options = this->options(Method::gradient_descent, batch, corruption);
      const auto got = train(network, objective, options, theta, rows_of(x, kInputs), 2, kRate, 2);
      std::vector<double> at = theta;
      for (std::uint32_t epoch = 0; epoch < 2; epoch++) {
        const Noise noise(corruption, options.seed, options.fit, epoch);
        std::vector<std::uint32_t> order = in_order(kRows);
        if (batch > 0) {
          permutation(order.data(), kRows, options.seed, static_cast<std::uint32_t>(Stream::shuffle),
                      std::uint64_t{options.fit} << 32 | epoch);
        }
        const int step = batch > 0 ? batch : kRows;
        for (int from = 0; from < kRows; from += step) {
          const std::vector<std::uint32_t> part(order.begin() + from, order.begin() + std::min(kRows, from + step));
          const auto gradient = naive_gradient(network, objective, at, noisy(noise, taken(x, kInputs, part), part));
          for (std::size_t i = 0; i < at.size(); i++) at[i] -= static_cast<double>(kRate * gradient[i]);
        }
      }
      for (std::size_t i = 0; i < at.size(); i++) EXPECT_NEAR(got.theta[i], at[i], tolerance::kTrained);
    }
  }
}

// What L-BFGS minimises must not change under it.
TEST_F(NoisyTraining, KeepsTheNoiseOfLbfgsForTheWholeFit) {
  for (const Corruption& corruption : kCorruptions) {
    const TrainingOptions options = this->options(Method::lbfgs, 0, corruption);
    const auto got = train(network, objective, options, theta, rows_of(x, kInputs), 5, 0, 2);
    const Noise noise(corruption, options.seed, options.fit, 0);
    EXPECT_EQ(got.last().cost.total(), evaluate(network, objective, got.theta, rows_of(x, kInputs), 2, {}, &noise).parts.total());
    for (int i = 1; i < 5; i++) EXPECT_LT(got.spans[i].cost.total(), got.spans[i - 1].cost.total());
  }
}

TEST_F(NoisyTraining, OfAmountZeroHasTheBitsOfNone) {
  for (Method method : {Method::adam, Method::lbfgs}) {
    const int batch = method == Method::lbfgs ? 0 : 4;
    TrainingOptions clean = options(method, batch, {Kind::gaussian, 0}), none = clean;
    none.corruption.reset();
    expect_same_bits(train(network, objective, clean, theta, rows_of(x, kInputs), 3, 0.05, 2),
                     train(network, objective, none, theta, rows_of(x, kInputs), 3, 0.05, 2));
  }
}

}  // namespace
}  // namespace layerwise

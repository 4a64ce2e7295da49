// What does not change a single bit: the number of threads, and whether the update is fused with the gradient.
#include <gtest/gtest.h>

#include <vector>

#include "job_testing.h"

namespace layerwise {
namespace {

using Kind = OptimizerOptions::Kind;

// Odd sizes, wide enough for several row blocks and several tiles of each matrix.
constexpr int kInputs = 601, kHidden = 439, kRows = 277, kBatch = 151;

template <typename T>
class SameBits : public testing::Test {
 protected:
  const Network network = autoencoder(kInputs, kHidden);
  const std::vector<T> theta = parameters_of<T>(network, 1);
  std::vector<std::uint8_t> bytes;
  Rows rows;

  SameBits() {
    for (int i = 0; i < kRows * kInputs; i++) bytes.push_back(static_cast<std::uint8_t>(i * 2654435761u >> 24));
    rows = rows_of(bytes, kInputs);
    rows.scale = 1.0 / 255;
    const Plan plan = Plan::evaluation(network, kBatch, sizeof(T));
    EXPECT_GT(plan.blocks(kBatch).count, 1);
    EXPECT_GT(plan.tiles.size(), 4u);
  }

  Objective objective(Average average) const {
    return objective_of(network, Loss::squared, 3e-3, {{0, PenaltyKind::kl, 0.1, 3, average}});
  }
  Trained<T> trained(Kind kind, int batch, int epochs, int threads, bool fused = true) const {
    const Average average = batch == 0 ? Average::exact : Average::moving;
    return train(network, objective(average), options_of(kind, batch, fused), theta, rows, epochs, 0.01, threads);
  }
};
TYPED_TEST_SUITE(SameBits, Precisions);

TYPED_TEST(SameBits, OfMinibatchTrainingAtAnyNumberOfThreads) {
  const auto one = this->trained(Kind::adam, kBatch, 2, 1);
  for (int threads : thread_counts()) expect_same_bits(one, this->trained(Kind::adam, kBatch, 2, threads));
}

TYPED_TEST(SameBits, OfFullBatchTrainingAtAnyNumberOfThreads) {
  const auto one = this->trained(Kind::momentum, 0, 2, 1);
  for (int threads : thread_counts()) expect_same_bits(one, this->trained(Kind::momentum, 0, 2, threads));
}

TYPED_TEST(SameBits, OfLbfgsAtAnyNumberOfThreads) {
  const auto one = this->trained(Kind::lbfgs, 0, 2, 1);
  EXPECT_LT(one.last().cost.total(), one.spans[0].cost.total());
  for (int threads : thread_counts()) expect_same_bits(one, this->trained(Kind::lbfgs, 0, 2, threads));
}

TYPED_TEST(SameBits, OfLayersWhoseGradientIsComputedByRowBlocks) {
  using T = TypeParam;
  constexpr int kWidth = 61, kRows = 1301, kBatch = 901;
  const Network small = autoencoder(kWidth, 43);
  const Plan plan = Plan::evaluation(small, kBatch, sizeof(T));
  ASSERT_TRUE(plan.by_blocks[0] && plan.by_blocks[1]);
  ASSERT_GT(plan.blocks(kBatch).count, 1);
  const std::vector<T> x = random_vector<T>(kRows * kWidth, 0.1, 0.9, 4), theta = parameters_of<T>(small, 1);
  const Objective objective = objective_of(small, Loss::squared, 3e-3, {{0, PenaltyKind::kl, 0.1, 3, Average::moving}});
  const auto trained = [&](int threads, bool fused) {
    return train(small, objective, options_of(Kind::adam, kBatch, fused), theta, rows_of(x, kWidth), 2, 0.01, threads);
  };
  const auto one = trained(1, true);
  for (int threads : thread_counts()) expect_same_bits(one, trained(threads, threads % 2 == 0));
}

TYPED_TEST(SameBits, OfTheFusedAndTheSplitForm) {
  const std::vector<Kind> all = {Kind::adam, Kind::momentum, Kind::gradient_descent};
  for (Kind kind : kSanitized ? std::vector<Kind>{Kind::adam} : all) {
    for (int batch : {kBatch, 0}) {
      SCOPED_TRACE(testing::Message() << static_cast<int>(kind) << " batch " << batch);
      const int epochs = batch == 0 ? 2 : 1;
      expect_same_bits(this->trained(kind, batch, epochs, 2, true), this->trained(kind, batch, epochs, 3, false));
    }
  }
}

// Ties, labels, noise and a bound on the weights, at any number of threads and in both forms.
TYPED_TEST(SameBits, OfTiedClassifyingAndNoisyTraining) {
  using T = TypeParam;
  const auto labels = labels_of(kRows, 10, 3);
  Rows labelled = this->rows;
  labelled.labels = labels.data();
  TrainingOptions plain = options_of(Kind::adam, kBatch), noisy = plain;
  noisy.corruption = Corruption{Corruption::Kind::gaussian, 0.3};
  TrainingOptions bounded = noisy, lbfgs = options_of(Kind::lbfgs, 0);
  bounded.corruption = Corruption{Corruption::Kind::masking, 0.3};
  bounded.weight_constraint = {WeightConstraint::Kind::frobenius, 20};
  lbfgs.corruption = noisy.corruption;

  const Network tied = tied_network({kInputs, kHidden}, Activation::sigmoid, Activation::sigmoid);
  const Network classifier = network_of({kInputs, kHidden, 10}, Activation::tanh, Activation::softmax);
  const Objective sparse = objective_of(tied, Loss::cross_entropy, 3e-3, {{0, PenaltyKind::kl, 0.1, 3, Average::moving}});
  const Objective whole = objective_of(tied, Loss::squared, 3e-3, {{0, PenaltyKind::constraint, 0.1, 3, Average::exact}});
  Objective classifying = objective_of(classifier, Loss::log_loss, 3e-3);
  for (int c = 0; c < 10; c++) classifying.class_weights.push_back(1 + c / 10.0);

  struct Case {
    const Network& network;
    const Objective& objective;
    const TrainingOptions& options;
  };
  for (const Case& c : {Case{tied, sparse, plain}, Case{tied, sparse, bounded}, Case{tied, whole, lbfgs},
                        Case{classifier, classifying, plain}, Case{classifier, classifying, noisy}}) {
    const std::vector<T> start = parameters_of<T>(c.network, 1);
    const auto one = train(c.network, c.objective, c.options, start, labelled, 2, 0.01, 1);
    for (int threads : thread_counts()) {
      expect_same_bits(one, train(c.network, c.objective, c.options, start, labelled, 2, 0.01, threads));
    }
    TrainingOptions split = c.options;
    split.fused = false;
    if (c.options.optimizer.kind != Kind::lbfgs) {
      expect_same_bits(one, train(c.network, c.objective, split, start, labelled, 2, 0.01, 2));
    }
  }
}

TYPED_TEST(SameBits, OfAnEvaluationInChunksAtAnyNumberOfThreads) {
  using T = TypeParam;
  constexpr int kWidth = 301, kMany = 1031;
  constexpr EvaluationMemory memory = {0, 0};
  const Network deep = network_of({kWidth, 77, 31, 77, kWidth}, Activation::tanh, Activation::identity);
  const Plan plan = Plan::evaluation(deep, kMany, sizeof(T), memory.chunk);
  ASSERT_GT(plan.chunks.count, 2);
  const std::vector<T> x = random_vector<T>(std::size_t(kMany) * kWidth, 0, 1, 3), parameters = parameters_of<T>(deep, 2);
  const Objective penalised = objective_of(deep, Loss::euclidean, 1e-3, {{1, PenaltyKind::l2, 0.1, 3, Average::exact}});
  const auto one = evaluate(deep, penalised, parameters, rows_of(x, kWidth), 1, memory);
  for (int threads : thread_counts()) {
    const auto more = evaluate(deep, penalised, parameters, rows_of(x, kWidth), threads, memory);
    expect_same_bits(one, more);
  }
}

}  // namespace
}  // namespace layerwise

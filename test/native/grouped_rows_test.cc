// Rows with many zeros: their products skip the zeros, and nothing else differs.
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstring>
#include <vector>

#include "job_testing.h"
#include "naive_cost.h"
#include "network/forward.h"

namespace layerwise {
namespace {

constexpr int kInputs = 211, kHidden = 37, kRows = 301;

// One element of twenty is not zero.
template <typename T>
std::vector<T> sparse_rows(int rows, int cols, unsigned seed = 4) {
  std::vector<T> x = random_vector<T>(std::size_t(rows) * cols, 0.1, 0.9, seed);
  const auto draws = random_vector<double>(x.size(), 0, 1, seed + 1);
  for (std::size_t i = 0; i < x.size(); i++) x[i] = draws[i] < 0.05 ? x[i] : T(0);
  return x;
}

Network sparse_autoencoder() { return network_of({kInputs, kHidden, kInputs}, Activation::sigmoid, Activation::sigmoid); }

Objective kl(const Network& network, Average average) {
  return objective_of(network, Loss::squared, 0.01, {{0, PenaltyKind::kl, 0.2, 3, average}});
}

// Whether an evaluation of these rows skips zeros.
template <typename T>
bool leaves_zeros_out(const Network& network, const Rows& rows, const Noise* noise = nullptr) {
  const Objective objective = objective_of(network, Loss::squared, 0);
  const std::vector<T> theta = parameters_of<T>(network, 2);
  bool leaves = false;
  ThreadPool pool;
  pool.run(1, [&](Team& team) {
    Evaluator<T> evaluator(network, objective, rows.count, {}, noise != nullptr);
    MemoryRows<T> source(rows);
    typename Evaluator<T>::Request request;
    request.theta = theta.data();
    request.rows = &source;
    request.count = rows.count;
    request.noise = noise;
    CostParts parts;
    EXPECT_TRUE(evaluator.run(team, request, StopFlag(), parts));
    leaves = evaluator.leaves_zeros_out();
  });
  return leaves;
}

TEST(GroupedRows, AreGroupedIfThatIsFaster) {
  const Network network = sparse_autoencoder();
  const std::vector<double> sparse = sparse_rows<double>(kRows, kInputs),
                            dense = random_vector<double>(kRows * kInputs, 0.1, 0.9, 1);
  EXPECT_TRUE(leaves_zeros_out<double>(network, rows_of(sparse, kInputs)));
  EXPECT_FALSE(leaves_zeros_out<double>(network, rows_of(dense, kInputs)));
  const std::vector<double> few(sparse.begin(), sparse.begin() + 20 * kInputs);
  EXPECT_FALSE(leaves_zeros_out<double>(network, rows_of(few, kInputs)));

  // Zeros that a scaler or noise fills are none.
  const std::vector<double> shift(kInputs, 0.5), factor(kInputs, 2);
  Rows scaled = rows_of(sparse, kInputs);
  scaled.scaling.shift = shift.data();
  scaled.scaling.factor = factor.data();
  EXPECT_FALSE(leaves_zeros_out<double>(network, scaled));
  const Noise masking({Corruption::Kind::masking, 0.3}, 1, 0, 0), gaussian({Corruption::Kind::gaussian, 0.1}, 1, 0, 0);
  EXPECT_TRUE(leaves_zeros_out<double>(network, rows_of(sparse, kInputs), &masking));
  EXPECT_FALSE(leaves_zeros_out<double>(network, rows_of(sparse, kInputs), &gaussian));

  // Rows of every part of the data are inspected: here two thirds have no zeros.
  std::vector<double> mixed = sparse;
  std::copy(dense.begin(), dense.begin() + 200 * kInputs, mixed.begin());
  EXPECT_FALSE(leaves_zeros_out<double>(network, rows_of(mixed, kInputs)));
  std::rotate(mixed.begin(), mixed.begin() + 200 * kInputs, mixed.end());
  EXPECT_FALSE(leaves_zeros_out<double>(network, rows_of(mixed, kInputs)));

  EXPECT_FALSE(leaves_zeros_out<double>(autoencoder(60, 40), rows_of(sparse_rows<double>(kRows, 60), 60)));  // few weights
}

TEST(GroupedRows, GiveTheCostAndGradientOfTheDefinition) {
  const std::vector<double> x = sparse_rows<double>(kRows, kInputs);
  const Network two = sparse_autoencoder(),
                four = network_of({kInputs, kHidden, 20, kHidden, kInputs}, Activation::tanh, Activation::identity);
  const Network tied = tied_network({kInputs, kHidden}, Activation::sigmoid, Activation::identity);
  for (const Network& network : {two, four, tied}) {
    const std::vector<double> theta = parameters_of<double>(network, 2);
    const Objective objective = kl(network, Average::exact);
    ASSERT_TRUE(leaves_zeros_out<double>(network, rows_of(x, kInputs)));
    expect_right_along(network, objective, theta, x, evaluate(network, objective, theta, rows_of(x, kInputs), 3));
  }
}

TEST(GroupedRows, GiveTheCostAndGradientOfASoftmax) {
  Network network;
  network.add(kInputs, 25, Activation::softmax);
  const Objective objective = objective_of(network, Loss::log_loss, 0.01);
  const std::vector<double> x = sparse_rows<double>(kRows, kInputs), theta = parameters_of<double>(network, 2);
  const std::vector<std::uint32_t> labels = labels_of(kRows, 25, 3);
  Rows rows = rows_of(x, kInputs);
  ASSERT_TRUE(leaves_zeros_out<double>(autoencoder(kInputs, 25), rows));
  rows.labels = labels.data();
  expect_right_along(network, objective, theta, {x, labels}, evaluate(network, objective, theta, rows, 2));
}

TEST(GroupedRows, AreCorrectInChunksAndWithNoise) {
  constexpr int kMany = 1301;
  constexpr EvaluationMemory kKept = {0, std::size_t{1} << 30}, kComputedAgain = {0, 0};
  const Network network = sparse_autoencoder();
  const Objective objective = kl(network, Average::exact);
  const std::vector<double> x = sparse_rows<double>(kMany, kInputs), theta = parameters_of<double>(network, 2);
  ASSERT_GT(Plan::evaluation(network, kMany, sizeof(double), kKept.chunk).chunks.count, 2);
  ASSERT_TRUE(leaves_zeros_out<double>(network, rows_of(x, kInputs)));
  const auto kept = evaluate(network, objective, theta, rows_of(x, kInputs), 2, kKept);
  expect_right_along(network, objective, theta, x, kept);
  expect_same_bits(kept, evaluate(network, objective, theta, rows_of(x, kInputs), 3, kComputedAgain));

  const Noise noise({Corruption::Kind::masking, 0.3}, 1, 0, 0);
  std::vector<double> corrupted(x.size());
  for (int i = 0; i < kMany; i++) noise.corrupt(i, x.data() + i * kInputs, kInputs, corrupted.data() + i * kInputs);
  const auto masked = evaluate(network, objective, theta, rows_of(x, kInputs), 2, kKept, &noise);
  expect_right_along(network, objective, theta, {corrupted, x}, masked);
}

template <typename T>
class GroupedRowsOf : public testing::Test {};
TYPED_TEST_SUITE(GroupedRowsOf, Precisions);

TYPED_TEST(GroupedRowsOf, TrainWithTheSameBitsAtAnyNumberOfThreadsAndInBothForms) {
  using T = TypeParam;
  using Kind = OptimizerOptions::Kind;
  constexpr int kWide = 601, kUnits = 239, kBatch = 151;
  const Network network = autoencoder(kWide, kUnits);
  const std::vector<T> x = sparse_rows<T>(kRows, kWide), theta = parameters_of<T>(network, 1);
  ASSERT_TRUE(leaves_zeros_out<T>(network, rows_of(x, kWide)));
  for (Kind kind : {Kind::adam, Kind::lbfgs}) {
    const bool minibatches = kind == Kind::adam;
    const Objective objective = kl(network, minibatches ? Average::moving : Average::exact);
    const auto trained = [&](int threads, bool fused) {
      return train(network, objective, options_of(kind, minibatches ? kBatch : 0, fused), theta, rows_of(x, kWide), 2, 0.01,
                   threads);
    };
    const auto one = trained(1, true);
    for (int threads : thread_counts()) expect_same_bits(one, trained(threads, !minibatches || threads % 2 == 0));
  }
}

template <typename T>
std::vector<T> encoded(const Network& network, const std::vector<T>& theta, const T* x, int rows, int threads) {
  std::vector<T> out(std::size_t(rows) * network.outputs(), kNaN<T>);
  Rows data;
  data.data = x;
  data.storage = storage_of(x);
  data.count = rows;
  data.cols = network.inputs();
  MemoryRows<T> source(data);
  ForwardRequest<T> request;
  request.network = &network;
  request.theta = theta.data();
  request.rows = &source;
  request.out = out.data();
  FirstBadRow bad;
  ThreadPool pool;
  pool.run(threads, [&](Team& team) { EXPECT_TRUE(forward(team, request, StopFlag(), bad)); });
  return out;
}

// Blocks of zeros, blocks without zeros, and one with both.
TYPED_TEST(GroupedRowsOf, EncodeByTheDefinitionAndInPartsWithTheSameBits) {
  using T = TypeParam;
  const Network network = network_of({kInputs, 61, 30}, Activation::tanh, Activation::tanh);
  const int block = forward_block_rows(network), rows = 4 * block + 70, cols = kInputs;
  std::vector<T> x = sparse_rows<T>(rows, cols);
  const std::vector<T> dense = random_vector<T>(x.size(), 0, 1, 8), theta = parameters_of<T>(network, 1);
  std::copy(dense.begin(), dense.begin() + (block + block / 2) * cols, x.begin());

  const auto whole = encoded(network, theta, x.data(), rows, 2);
  for (int i = 0; i < rows; i += 7) {
    const std::vector<double> row(x.begin() + i * cols, x.begin() + (i + 1) * cols);
    const auto a = naive_pass(network, {theta.begin(), theta.end()}, row.data()).a.back();
    for (int j = 0; j < 30; j++) ASSERT_NEAR(whole[i * 30 + j], a[j], tolerance::kLayers * kEpsilon<T>) << i << ' ' << j;
  }
  for (int threads : thread_counts()) EXPECT_TRUE(same_bits(whole, encoded(network, theta, x.data(), rows, threads)));
  for (const auto& [from, to] : {std::pair(0, block), std::pair(block, 3 * block), std::pair(4 * block, rows)}) {
    const auto part = encoded(network, theta, x.data() + std::size_t(from) * cols, to - from, 3);
    EXPECT_EQ(std::memcmp(part.data(), whole.data() + std::size_t(from) * 30, part.size() * sizeof(T)), 0) << from;
  }
}

// The weights of an input that is zero in all rows of a block are NaN, which shows whether they are used.
TYPED_TEST(GroupedRowsOf, SkipWeightsOfZeroInputsInEncoding) {
  using T = TypeParam;
  const Network network = network_of({kInputs, 61}, Activation::sigmoid, Activation::sigmoid);
  const int rows = forward_block_rows(network) + 100;
  std::vector<T> x = sparse_rows<T>(rows, kInputs), theta = parameters_of<T>(network, 1);
  for (int i = 0; i < rows; i++) x[std::size_t(i) * kInputs + 5] = 0;
  for (int j = 0; j < 61; j++) theta[network.layers[0].weights_at + std::size_t(j) * kInputs + 5] = kNaN<T>;
  const auto finite = [](const std::vector<T>& codes) {
    return std::all_of(codes.begin(), codes.end(), [](T code) { return std::isfinite(code); });
  };
  EXPECT_TRUE(finite(encoded(network, theta, x.data(), rows, 2)));
  x = random_vector<T>(x.size(), 0.1, 0.9, 8);
  EXPECT_FALSE(finite(encoded(network, theta, x.data(), rows, 2)));
}

}  // namespace
}  // namespace layerwise

#include "network/forward.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "naive_cost.h"
#include "network/forward_row.h"
#include "network/plan.h"
#include "vector_testing.h"

namespace layerwise {
namespace {

template <typename T>
class ForwardTest : public testing::Test {};
TYPED_TEST_SUITE(ForwardTest, Precisions);

template <typename T>
struct Passed {
  std::vector<T> out;
  std::vector<double> errors;
  std::vector<std::uint32_t> classes;
  FirstBadRow bad;
};

template <typename T>
Passed<T> pass(const Network& network, const std::vector<T>& theta, const Rows& rows, ForwardResult result, int threads,
               const ColumnScaling& unscale = {}) {
  Passed<T> got;
  const std::size_t count = rows.count;
  const bool values = result == ForwardResult::outputs || result == ForwardResult::squares;
  got.out.assign(values ? count * network.outputs() : 0, kNaN<T>);
  got.errors.assign(result == ForwardResult::errors ? count : 0, kNaN<double>);
  got.classes.assign(result == ForwardResult::classes ? count : 0, ~0u);
  MemoryRows<T> source(rows);
  ForwardRequest<T> request;
  request.network = &network;
  request.theta = theta.data();
  request.rows = &source;
  request.result = result;
  request.out = values ? got.out.data() : nullptr;
  request.errors = got.errors.data();
  request.classes = got.classes.data();
  request.unscale = unscale;
  ThreadPool pool;
  pool.run(threads, [&](Team& team) { EXPECT_TRUE(forward(team, request, StopFlag(), got.bad)); });
  return got;
}

template <typename T>
Rows slice(const std::vector<T>& x, int cols, int from, int to) {
  Rows rows = rows_of(x, cols);
  rows.data = x.data() + static_cast<std::size_t>(from) * cols;
  rows.count = to - from;
  return rows;
}

// Networks from 6 inputs to 6 outputs of every kind.
std::vector<Network> networks() {
  Network unbiased, other_way;
  unbiased.add(6, 4, Activation::tanh, false);
  unbiased.add(4, 6, Activation::sigmoid, false);
  other_way.add(6, 4, Activation::tanh, true, true);
  other_way.add(4, 6, Activation::sigmoid, false, true);
  return {network_of({6, 4, 3, 6}, Activation::tanh, Activation::sigmoid),
          network_of({6, 4, 6}, Activation::tanh, Activation::softmax),
          tied_network({6, 4, 3}, Activation::tanh, Activation::sigmoid),
          tied_network({6, 4}, Activation::tanh, Activation::sigmoid, false),
          unbiased,
          other_way};
}

TYPED_TEST(ForwardTest, OutputsSquaresAndErrorsFollowTheDefinition) {
  using T = TypeParam;
  const std::vector<T> x = random_vector<T>(9 * 6, 0, 1, 2);
  const std::vector<double> wide(x.begin(), x.end());
  const std::vector<double> shift = random_vector<double>(6, -1, 1, 3), factor = random_vector<double>(6, 0.5, 2, 4);
  for (const Network& network : networks()) {
    const std::vector<T> theta = parameters_of<T>(network, 1);
    const auto outputs = pass(network, theta, rows_of(x, 6), ForwardResult::outputs, 2);
    const auto unscaled = pass(network, theta, rows_of(x, 6), ForwardResult::outputs, 2, {shift.data(), factor.data(), nullptr}),
               centred =
                   pass(network, theta, rows_of(x, 6), ForwardResult::outputs, 2, {shift.data(), factor.data(), shift.data()});
    const auto squares = pass(network, theta, rows_of(x, 6), ForwardResult::squares, 2);
    const auto errors = pass(network, theta, rows_of(x, 6), ForwardResult::errors, 2);
    for (int i = 0; i < 9; i++) {
      const auto a = naive_pass(network, {theta.begin(), theta.end()}, &wide[i * 6]).a.back();
      const double near = tolerance::kLayers * kEpsilon<T>;
      long double sum = 0;
      for (int j = 0; j < 6; j++) {
        const long double error = a[j] - wide[i * 6 + j];
        sum += error * error;
        ASSERT_NEAR(outputs.out[i * 6 + j], a[j], near);
        ASSERT_NEAR(unscaled.out[i * 6 + j], a[j] / factor[j] + shift[j], 4 * near);
        ASSERT_NEAR(centred.out[i * 6 + j], (a[j] + shift[j]) / factor[j] + shift[j], 4 * near);
        ASSERT_NEAR(squares.out[i * 6 + j], error * error, 2 * near);
      }
      ASSERT_NEAR(errors.errors[i], sum, 12 * near);
    }
  }
}

TYPED_TEST(ForwardTest, ClassesAreTheLargestOutputs) {
  using T = TypeParam;
  const Network network = network_of({67, 35, 10}, Activation::tanh, Activation::softmax);
  const int rows = 33 * forward_block_rows(network) + 7;  // more blocks than are worked on at once, and a rest
  const std::vector<T> theta = parameters_of<T>(network, 1), x = random_vector<T>(std::size_t(rows) * 67, -1, 1, 2);
  const auto outputs = pass(network, theta, rows_of(x, 67), ForwardResult::outputs, 2).out;
  const auto classes = pass(network, theta, rows_of(x, 67), ForwardResult::classes, 2).classes;
  std::vector<int> seen(10, 0);
  for (int i = 0; i < rows; i++) {
    const auto row = outputs.begin() + i * 10;
    ASSERT_EQ(classes[i], static_cast<std::uint32_t>(std::max_element(row, row + 10) - row)) << i;
    seen[classes[i]]++;
  }
  EXPECT_GT(std::count_if(seen.begin(), seen.end(), [](int n) { return n > 0; }), 3);
  for (int threads : thread_counts()) {
    EXPECT_EQ(pass(network, theta, rows_of(x, 67), ForwardResult::classes, threads).classes, classes);
  }
  // All outputs are equal: the first.
  const std::vector<T> zeros(network.parameters, T(0));
  EXPECT_EQ(pass(network, zeros, rows_of(x, 67), ForwardResult::classes, 2).classes, std::vector<std::uint32_t>(rows, 0));
}

template <typename T>
void expect_same_bits_at_any_number_of_threads(const Network& network, int rows) {
  const std::vector<T> theta = parameters_of<T>(network, 1), x = random_vector<T>(std::size_t(rows) * 171, 0, 1, 2);
  for (ForwardResult result : {ForwardResult::outputs, ForwardResult::errors}) {
    const auto one = pass(network, theta, rows_of(x, 171), result, 1);
    for (int threads : thread_counts()) {
      const auto more = pass(network, theta, rows_of(x, 171), result, threads);
      EXPECT_TRUE(same_bits(one.out, more.out)) << threads;
      EXPECT_TRUE(same_bits(one.errors, more.errors)) << threads;
    }
  }
}

TYPED_TEST(ForwardTest, HasTheSameBitsAtAnyNumberOfThreads) {
  using T = TypeParam;
  const Network network = autoencoder(171, 57);
  // More blocks than are worked on at once, and a rest.
  expect_same_bits_at_any_number_of_threads<T>(network, 33 * forward_block_rows(network) + 5);
  for (const Network& other : {tied_network({171, 57}, Activation::sigmoid, Activation::sigmoid, false),
                               network_of({171, 57, 171}, Activation::sigmoid, Activation::softmax)}) {
    expect_same_bits_at_any_number_of_threads<T>(other, 5 * forward_block_rows(other) + 5);
  }
}

TYPED_TEST(ForwardTest, PartsCutBetweenBlocksHaveTheBitsOfTheWhole) {
  using T = TypeParam;
  for (const Network& network : {autoencoder(301, 77), network_of({67, 35}, Activation::tanh, Activation::tanh)}) {
    const int block = forward_block_rows(network), rows = 3 * block + block / 2 + 3, cols = network.inputs();
    const std::vector<T> theta = parameters_of<T>(network, 1), x = random_vector<T>(std::size_t(rows) * cols, 0, 1, 2);
    const auto whole = pass(network, theta, rows_of(x, cols), ForwardResult::outputs, 2);
    for (const auto& [from, to] : {std::pair(0, block), std::pair(block, 3 * block), std::pair(2 * block, rows)}) {
      const auto part = pass(network, theta, slice(x, cols, from, to), ForwardResult::outputs, 3);
      EXPECT_EQ(
          std::memcmp(part.out.data(), whole.out.data() + std::size_t(from) * network.outputs(), part.out.size() * sizeof(T)), 0)
          << from << " to " << to;
    }
  }
}

TYPED_TEST(ForwardTest, OneRowOnTheCallingThreadEqualsThatRowAmongAll) {
  using T = TypeParam;
  Network unbiased;
  unbiased.add(67, 35, Activation::sigmoid, false);
  unbiased.add(35, 21, Activation::tanh);
  unbiased.add(21, 11, Activation::tanh, false);
  std::vector<T> x = random_vector<T>(5 * 67, 0, 1, 2);
  for (int i = 67; i < 2 * 67; i++) x[i] = 0;
  for (int i = 2 * 67; i < 3 * 67; i++) x[i] = i % 5 == 0 ? x[i] : T(0);
  const std::vector<double> wide(x.begin(), x.end());
  for (const Network& network : {network_of({67, 35, 21, 11}, Activation::sigmoid, Activation::tanh), unbiased,
                                 network_of({67, 35, 11}, Activation::sigmoid, Activation::softmax)}) {
    const std::vector<T> theta = parameters_of<T>(network, 1);
    std::vector<T> transposed(network.layers[0].weight_count());
    transpose_first_layer(network, theta.data(), transposed.data());
    const auto all = pass(network, theta, rows_of(x, 67), ForwardResult::outputs, 2);
    for (int i = 0; i < 5; i++) {
      for (bool converted : {false, true}) {
        std::vector<T> out(11, kNaN<T>);
        const Rows row = converted ? slice(wide, 67, i, i + 1) : slice(x, 67, i, i + 1);
        ASSERT_EQ(forward_row(network, theta.data(), transposed.data(), MemoryRows<T>(row), out.data()), RowEnd::finished);
        for (int j = 0; j < 11; j++) EXPECT_NEAR(out[j], all.out[i * 11 + j], tolerance::kLayers * kEpsilon<T>);
      }
    }
    std::vector<T> bad(67, T(1)), out(11);
    bad[66] = kNaN<T>;
    EXPECT_EQ(forward_row(network, theta.data(), transposed.data(), MemoryRows<T>(rows_of(bad, 67)), out.data()),
              RowEnd::not_finite);
  }
}

TYPED_TEST(ForwardTest, OneRowOnTheCallingThreadHasItsErrorInEveryKindOfNetwork) {
  using T = TypeParam;
  std::vector<T> x = random_vector<T>(3 * 6, 0, 1, 2);
  for (int j = 7; j < 12; j++) x[j] = 0;
  for (const Network& network : networks()) {
    const std::vector<T> theta = parameters_of<T>(network, 1);
    std::vector<T> transposed(network.layers[0].weight_count(), kNaN<T>);
    transpose_first_layer(network, theta.data(), transposed.data());
    const auto outputs = pass(network, theta, rows_of(x, 6), ForwardResult::outputs, 2);
    const auto errors = pass(network, theta, rows_of(x, 6), ForwardResult::errors, 2);
    for (int i = 0; i < 3; i++) {
      std::vector<T> out(6, kNaN<T>);
      double error = kNaN<double>;
      ASSERT_EQ(forward_row(network, theta.data(), transposed.data(), MemoryRows<T>(slice(x, 6, i, i + 1)), out.data(), &error),
                RowEnd::finished);
      EXPECT_NEAR(error, errors.errors[i], tolerance::kLayers * kEpsilon<T>);
      for (int j = 0; j < 6; j++) EXPECT_NEAR(out[j], outputs.out[i * 6 + j], tolerance::kLayers * kEpsilon<T>);
    }
  }
}

TYPED_TEST(ForwardTest, ReportsTheFirstBadPlaceWhateverTheNumberOfThreads) {
  using T = TypeParam;
  const Network network = autoencoder(64, 25);
  const int rows = 20 * forward_block_rows(network) + 1;
  const std::vector<T> theta = parameters_of<T>(network, 1);
  std::vector<T> x(std::size_t(rows) * 64, T(0.5));
  const int first = 3 * forward_block_rows(network) + 17;
  for (int row : {first, first + 1, rows / 2, rows - 1}) x[std::size_t(row) * 64 + 40] = kInfinity<T>;
  x[std::size_t(first) * 64 + 30] = kNaN<T>;
  for (int threads : {1, 2, 3, 7}) {
    const auto got = pass(network, theta, rows_of(x, 64), ForwardResult::outputs, threads);
    EXPECT_EQ(got.bad.row, first);
    EXPECT_EQ(got.bad.column, 30);
    EXPECT_TRUE(std::isnan(got.bad.value));
  }
}

TEST(Forward, ReportsAValueThatOverflowsInItsOwnPrecisionEvenInTheLastRow) {
  const Network network = autoencoder(3, 2);
  const std::vector<float> theta = parameters_of<float>(network, 1);
  const std::vector<double> large = {1, 1, 1, 1, 1e300, 1};
  const auto stored = pass(network, theta, rows_of(large, 3), ForwardResult::outputs, 2);
  EXPECT_EQ(stored.bad.row, 1);
  EXPECT_EQ(stored.bad.column, 1);
  EXPECT_EQ(stored.bad.value, 1e300);

  // Scaled in float64: only a value that is too large after the factor is refused.
  const std::vector<float> x = {1, 1, 3e38f, 1, 1, 3e38f};
  const std::vector<double> shift = {0, 0, -3e38};
  std::vector<double> factor = {1, 1, 1e-38};
  Rows rows = rows_of(x, 3);
  rows.scaling.shift = shift.data();
  rows.scaling.factor = factor.data();
  EXPECT_EQ(pass(network, theta, rows, ForwardResult::outputs, 2).bad.row, -1);
  factor[2] = 1;
  const auto shifted = pass(network, theta, rows, ForwardResult::outputs, 2);
  EXPECT_EQ(shifted.bad.row, 0);
  EXPECT_EQ(shifted.bad.column, 2);
}

// Outputs by their definition, in long double.
template <typename T>
std::vector<long double> naive_outputs(const Network& network, const std::vector<T>& theta, const T* x) {
  std::vector<long double> a(x, x + network.inputs());
  for (const DenseLayer& layer : network.layers) {
    std::vector<long double> z(layer.outputs);
    for (int j = 0; j < layer.outputs; j++) {
      const MatrixView<const T> w = layer.weights(theta.data());
      z[j] = layer.has_biases ? theta[layer.biases_at + j] : 0;
      for (int k = 0; k < layer.inputs; k++) z[j] += a[k] * (layer.transposed ? w.row(k)[j] : w.row(j)[k]);
    }
    const long double most = *std::max_element(z.begin(), z.end());
    long double sum = 0;
    for (long double value : z) sum += std::exp(value - most);
    for (long double& value : z) {
      value = layer.activation == Activation::softmax ? std::exp(value - most) / sum : apply(layer.activation, value);
    }
    a = z;
  }
  return a;
}

TYPED_TEST(ForwardTest, RowsWhoseSumsOverflowGiveTheExactResult) {
  using T = TypeParam;
  const T huge = std::numeric_limits<T>::max();
  std::vector<T> x = random_vector<T>(5 * 6, -1, 1, 2);
  for (int j = 0; j < 6; j++) {
    x[6 + j] *= huge;
    x[18 + j] = j % 2 == 0 ? huge : -huge;
  }
  std::vector<Network> all;
  for (Activation hidden : kActivations) {
    all.push_back(network_of({6, 5, 6}, hidden, Activation::sigmoid));
    all.push_back(network_of({6, 5, 6}, hidden, Activation::identity));
    all.push_back(network_of({6, 5, 3}, hidden, Activation::softmax));
    all.push_back(tied_network({6, 5}, hidden, Activation::identity));
  }
  for (const Network& network : all) {
    for (T factor : {T(1), T(0.05)}) {
      std::vector<T> theta = parameters_of<T>(network, 1);
      for (T& value : theta) value *= factor;
      std::vector<T> transposed(network.layers[0].weight_count());
      transpose_first_layer(network, theta.data(), transposed.data());
      for (int i = 0; i < 5; i++) {
        const auto got = pass(network, theta, slice(x, 6, i, i + 1), ForwardResult::outputs, 2);
        std::vector<T> single(network.outputs());
        const RowEnd end =
            forward_row(network, theta.data(), transposed.data(), MemoryRows<T>(slice(x, 6, i, i + 1)), single.data());
        const auto wanted = naive_outputs(network, theta, x.data() + i * 6);
        bool held = true;
        for (int j = 0; j < network.outputs(); j++) held &= std::fabs(wanted[j]) <= huge;
        ASSERT_EQ(got.bad.row, held ? -1 : 0);
        ASSERT_EQ(end, held ? RowEnd::finished : RowEnd::too_large);
        if (!held) {
          ASSERT_TRUE(got.bad.of_results);
          continue;
        }
        for (int j = 0; j < network.outputs(); j++) {
          const long double near = tolerance::kLayers * kEpsilon<T> * std::max(1.0L, std::fabs(wanted[j]) + (i % 2) * huge);
          ASSERT_NEAR(got.out[j], wanted[j], near) << i << ' ' << j;
          ASSERT_NEAR(single[j], wanted[j], near) << i << ' ' << j;
        }
      }
    }
  }
}

TEST(Forward, ErrorsOfFloatsHaveTheRangeOfDoublesAndTheirSquaresThatOfFloats) {
  const Network network = network_of({3, 3}, Activation::identity, Activation::identity);
  const std::vector<float> theta(network.parameters, 0.0f), x = {1, 2, 3, 3e38f, -3e38f, 1, 1, 1, 1};
  const auto errors = pass(network, theta, rows_of(x, 3), ForwardResult::errors, 2);
  EXPECT_EQ(errors.bad.row, -1);
  EXPECT_NEAR(errors.errors[1], 2.0 * x[3] * x[3], 1e-12 * errors.errors[1]);
  const auto squares = pass(network, theta, rows_of(x, 3), ForwardResult::squares, 2);
  EXPECT_EQ(squares.bad.row, 1);
  EXPECT_EQ(squares.bad.column, 0);
  EXPECT_TRUE(squares.bad.of_results);
}

FirstBadRow scanned(const Rows& rows, double low, double high, int threads) {
  FirstBadRow bad;
  MemoryRows<double> source(rows);
  ThreadPool pool;
  pool.run(threads, [&](Team& team) { EXPECT_TRUE(scan(team, source, low, high, StopFlag(), bad)); });
  return bad;
}

TYPED_TEST(ForwardTest, ScanFindsTheFirstBadPlaceWhateverTheNumberOfThreads) {
  using T = TypeParam;
  const double all = std::numeric_limits<double>::max();
  std::vector<T> x(3000 * 7, T(0.5));
  x[2999 * 7 + 6] = kNaN<T>;
  x[1700 * 7 + 3] = T(1.5);
  x[300 * 7 + 2] = -kInfinity<T>;
  for (int threads : {1, 2, 3, 7}) {
    const FirstBadRow infinite = scanned(rows_of(x, 7), -all, all, threads);
    EXPECT_EQ(infinite.row, 300);
    EXPECT_EQ(infinite.column, 2);
    EXPECT_EQ(infinite.value, -kInfinity<double>);
    const FirstBadRow outside = scanned(slice(x, 7, 301, 3000), 0, 1, threads);
    EXPECT_EQ(outside.row, 1399);
    EXPECT_EQ(outside.column, 3);
    EXPECT_EQ(outside.value, 1.5);
    const FirstBadRow nan = scanned(slice(x, 7, 1701, 3000), 0, 1, threads);
    EXPECT_EQ(nan.row, 1298);
    EXPECT_EQ(nan.column, 6);
    EXPECT_TRUE(std::isnan(nan.value));
    EXPECT_EQ(scanned(slice(x, 7, 301, 1700), 0, 1, threads).row, -1);
  }
}

TEST(Forward, ScanChecksBytesAfterTheirScale) {
  std::vector<std::uint8_t> bytes(500 * 4, 100);
  bytes[400 * 4 + 1] = 255;
  Rows rows = rows_of(bytes, 4);
  rows.scale = 1.0 / 255;
  EXPECT_EQ(scanned(rows, 0, 1, 2).row, -1);
  rows.scale = 1.0 / 200;
  const FirstBadRow bad = scanned(rows, 0, 1, 2);
  EXPECT_EQ(bad.row, 400);
  EXPECT_EQ(bad.column, 1);
  EXPECT_DOUBLE_EQ(bad.value, 255.0 / 200);
}

TEST(Forward, ScanFindsWhatIsNotFiniteAmongHalves) {
  std::vector<std::uint16_t> halves(500 * 4, 0x3c00);
  Rows rows = rows_of(halves, 4);
  for (Storage storage : {Storage::f16, Storage::bf16}) {
    rows.storage = storage;
    halves[321 * 4 + 2] = 0x3c00;
    EXPECT_EQ(scanned(rows, -2, 2, 2).row, -1);
    halves[321 * 4 + 2] = storage == Storage::f16 ? 0xfc00 : 0xff80;
    const FirstBadRow bad = scanned(rows, -2, 2, 2);
    EXPECT_EQ(bad.row, 321);
    EXPECT_EQ(bad.column, 2);
    EXPECT_EQ(bad.value, -std::numeric_limits<double>::infinity());
  }
}

TEST(Forward, StopsWhenAskedTo) {
  const Network network = autoencoder(3, 2);
  const std::vector<double> theta = parameters_of<double>(network, 1), x(30, 0.5);
  std::vector<double> out(30);
  ForwardRequest<double> request;
  request.network = &network;
  request.theta = theta.data();
  MemoryRows<double> source(rows_of(x, 3));
  request.rows = &source;
  request.out = out.data();
  StopFlag stop;
  stop.abandon();
  FirstBadRow bad;
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    EXPECT_FALSE(forward(team, request, stop, bad));
    EXPECT_FALSE(scan(team, source, 0, 1, stop, bad));
  });
}

}  // namespace
}  // namespace layerwise

// Whoever reads rows works with any source, one that holds only the opened rows included.
#include "rows/row_source.h"

#include <gtest/gtest.h>

#include <vector>

#include "job_testing.h"
#include "linear/covariance.h"
#include "network/forward.h"
#include "rows/memory_rows.h"
#include "rows/scan.h"

namespace layerwise {
namespace {

constexpr int kCols = 6, kRows = 1200;
constexpr EvaluationMemory kThreeChunks = {0, 0};

// Holds what open() announced, as a window of a file would.
template <typename T>
class WindowRows final : public RowSource<T> {
 public:
  explicit WindowRows(const Rows& rows) : RowSource<T>(rows.count, rows.cols, rows.order), file_(rows) {}

  void open(const std::uint32_t* order, int first, int count) override {
    order_ = order;
    first_ = first;
    window_.assign(static_cast<std::size_t>(count) * this->cols(), kNaN<T>);
    file_.read(order, first, {window_.data(), count, this->cols()});
    longest_ = std::max(longest_, count);
  }
  void read(const std::uint32_t* order, int first, MatrixView<T> out) const override {
    const std::size_t cols = this->cols(), at = (first - first_) * cols;
    const bool is_open = order == order_ && first >= first_ && at + out.rows * cols <= window_.size();
    ASSERT_TRUE(is_open) << first << ' ' << out.rows;
    for (int i = 0; i < out.rows; i++) std::copy_n(window_.data() + at + i * cols, cols, out.row(i));
  }
  void read_labels(const std::uint32_t* order, int first, int count, std::uint32_t* out) const override {
    file_.read_labels(order, first, count, out);
  }
  std::size_t row_bytes() const override { return this->cols() * sizeof(T); }
  double value(int row, int column) const override { return file_.value(row, column); }

  // Rows of the longest window.
  int longest() const { return longest_; }

 private:
  MemoryRows<T> file_;
  const std::uint32_t* order_ = nullptr;
  int first_ = 0, longest_ = 0;
  std::vector<T> window_;
};

std::vector<double> data() { return random_vector<double>(std::size_t{kRows} * kCols, 0.1, 0.9, 4); }

Network network() { return network_of({kCols, 5, kCols}, Activation::sigmoid, Activation::sigmoid); }

Objective objective() { return objective_of(network(), Loss::squared, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}}); }

TEST(RowSource, OfWindowsIsEvaluatedWithTheBitsOfRowsInMemory) {
  const std::vector<double> x = data(), theta = parameters_of<double>(network(), 1);
  const Noise noise({Corruption::Kind::masking, 0.4}, 5, 1, 2);
  for (const Noise* laid_over : {static_cast<const Noise*>(nullptr), &noise}) {
    WindowRows<double> windows(rows_of(x, kCols));
    expect_same_bits(evaluate(network(), objective(), theta, rows_of(x, kCols), 2, kThreeChunks, laid_over),
                     evaluate(network(), objective(), theta, windows, 2, kThreeChunks, laid_over));
    EXPECT_LT(windows.longest(), kRows / 2);
  }
}

TEST(RowSource, OfWindowsTrainsWithTheBitsOfRowsInMemory) {
  const std::vector<double> x = data(), theta = parameters_of<double>(network(), 1);
  std::vector<std::uint32_t> order(kRows / 2);
  for (int i = 0; i < kRows / 2; i++) order[i] = static_cast<std::uint32_t>(i * 7 % kRows);
  Rows rows = rows_of(x, kCols);
  rows.order = order.data();
  rows.count = kRows / 2;
  const TrainingOptions options = options_of(OptimizerOptions::Kind::adam, 100);
  const auto expected = train(network(), objective(), options, theta, rows, 2, 0.05, 2);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    WindowRows<double> windows(rows);
    TrainingJob<double> job(network(), objective(), options, theta.data(), windows.count());
    for (int epoch = 0; epoch < 2; epoch++) job.run(team, windows, {epoch, 0.05, kWholeEpoch}, StopFlag());
    EXPECT_TRUE(same_bits(expected.theta, {job.theta(), job.theta() + theta.size()}));
    EXPECT_EQ(windows.longest(), 100);
  });
}

TEST(RowSource, OfWindowsIsEncodedScannedAndSummedWithTheBitsOfRowsInMemory) {
  // More than forward() and scan() have at work at once.
  constexpr int kMany = 20000;
  std::vector<double> x = random_vector<double>(std::size_t{kMany} * kCols, 0.1, 0.9, 4);
  const std::vector<double> theta = parameters_of<double>(network(), 1);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    MemoryRows<double> memory(rows_of(x, kCols));
    WindowRows<double> windows(rows_of(x, kCols));
    const auto both = [&](auto&& of_source) { EXPECT_TRUE(same_bits(of_source(memory), of_source(windows))); };
    both([&](RowSource<double>& source) {
      std::vector<double> out(x.size(), kNaN<double>);
      ForwardRequest<double> request;
      const Network layers = network();
      request.network = &layers;
      request.theta = theta.data();
      request.rows = &source;
      request.out = out.data();
      FirstBadRow bad;
      EXPECT_TRUE(forward(team, request, StopFlag(), bad));
      EXPECT_EQ(bad.row, -1);
      return out;
    });
    both([&](RowSource<double>& source) {
      std::vector<double> mean(kCols), matrix(kCols * kCols);
      double scale = 0;
      EXPECT_TRUE(covariance(team, source, mean.data(), matrix.data(), scale, StopFlag()));
      return matrix;
    });
    x[(kMany - 2) * kCols + 1] = kNaN<double>;
    FirstBadRow bad;
    EXPECT_TRUE(scan(team, windows, 0, 1, StopFlag(), bad));
    EXPECT_EQ(bad.row, kMany - 2);
    EXPECT_EQ(bad.column, 1);
    EXPECT_LT(windows.longest(), kMany);
  });
}

}  // namespace
}  // namespace layerwise

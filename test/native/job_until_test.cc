// A source that stops reading when the job is stopped: what it leaves is never used.
#include <gtest/gtest.h>

#include <vector>

#include "job_testing.h"
#include "products/choose.h"

namespace layerwise {
namespace {

using Kind = OptimizerOptions::Kind;

constexpr int kCols = 201, kUnits = 151, kRows = 300, kEpochs = 2;

// Raises the flag that it was given when it opens rows for the n-th time, and gives up: its rows are then NaN.
class GivingUp final : public RowSource<float> {
 public:
  GivingUp(const Rows& rows, std::int32_t* word, int gives_up)
      : RowSource<float>(rows.count, rows.cols, rows.order), memory_(rows), word_(word), left_(gives_up) {}

  void until(const StopFlag* stop) override { stop_ = stop; }
  void open(const std::uint32_t*, int, int) override {
    ASSERT_NE(stop_, nullptr);
    if (--left_ == 0) __atomic_store_n(word_, 1, __ATOMIC_RELAXED);
    gave_up_ = stop_->raised();
  }
  void read(const std::uint32_t* order, int first, MatrixView<float> out) const override {
    memory_.read(order, first, out);
    for (int i = 0; gave_up_ && i < out.rows; i++) std::fill_n(out.row(i), cols(), kNaN<float>);
  }
  void read_labels(const std::uint32_t*, int, int, std::uint32_t*) const override {}
  std::size_t row_bytes() const override { return memory_.row_bytes(); }
  double value(int row, int column) const override { return memory_.value(row, column); }

  bool knows_a_flag() const { return stop_ != nullptr; }
  bool never_gave_up() const { return left_ > 0; }

 private:
  MemoryRows<float> memory_;
  std::int32_t* word_;
  int left_;
  const StopFlag* stop_ = nullptr;
  bool gave_up_ = false;
};

TEST(JobUntil, ASourceThatGivesUpCancelsTheStepAndChangesNothing) {
  const Network network = autoencoder(kCols, kUnits);
  // Whether zeros are left out is decided by a look at rows too.
  ASSERT_TRUE(may_be_grouped(network.layers.front(), 64, sizeof(float)));
  std::vector<float> x = random_vector<float>(std::size_t{kRows} * kCols, 0.1, 0.9, 2);
  for (std::size_t i = 0; i < x.size(); i++) x[i] = i / 20 % 5 == 0 ? x[i] : 0;
  const std::vector<float> theta = parameters_of<float>(network, 1);
  const Rows rows = rows_of(x, kCols);
  TrainingOptions blocks = options_of(Kind::adam, 64);
  blocks.shuffle = Shuffling::blocks;
  blocks.window_bytes = 100 * kCols * 4;
  for (const TrainingOptions& options :
       {options_of(Kind::adam, 64), blocks, options_of(Kind::adam, 0), options_of(Kind::lbfgs, 0)}) {
    const Average average = options.batch_size == 0 ? Average::exact : Average::moving;
    const Objective objective = objective_of(network, Loss::squared, 3e-3, {{0, PenaltyKind::kl, 0.1, 3, average}});
    const auto expected = train(network, objective, options, theta, rows, kEpochs, 0.01, 2);
    bool to_the_end = false;
    for (int opening = 1; !to_the_end; opening += kSanitized ? 7 : 1) {
      SCOPED_TRACE(opening);
      ThreadPool pool;
      pool.run(2, [&](Team& team) {
        std::int32_t word = 0;
        GivingUp source(rows, &word, opening);
        TrainingJob<float> job(network, objective, options, theta.data(), kRows);
        std::vector<SpanResult> spans;
        while (job.epoch() < kEpochs) {
          const StopFlag stop(&word);
          const SpanResult result = job.run(team, source, {job.epoch(), 0.01, kWholeEpoch}, stop);
          EXPECT_FALSE(source.knows_a_flag());
          EXPECT_FALSE(result.diverged);
          EXPECT_EQ(result.cancelled, word != 0);
          word = 0;
          if (!result.cancelled) spans.push_back(result);
        }
        EXPECT_TRUE(std::equal(expected.theta.begin(), expected.theta.end(), job.theta()));
        ASSERT_EQ(spans.size(), expected.spans.size());
        EXPECT_EQ(spans.back().cost.loss, expected.last().cost.loss);
        to_the_end = source.never_gave_up();
      });
    }
  }
}

}  // namespace
}  // namespace layerwise

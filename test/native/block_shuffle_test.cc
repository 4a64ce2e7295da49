// The order of an epoch that is shuffled by blocks.
#include "rows/block_shuffle.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include "base/random.h"
#include "core_testing.h"
#include "training/job/epoch_rows.h"
#include "training/job/pass_order.h"

namespace layerwise {
namespace {

constexpr std::uint64_t kSeed = 17;

// `count` rows of so many bytes each.
struct Bytes {
  Bytes(int count, int row_bytes) : data(static_cast<std::size_t>(count) * row_bytes), rows(rows_of(data, row_bytes)) {}

  std::vector<std::uint8_t> data;
  MemoryRows<float> rows;
};

// All places of a pass at once.
std::vector<std::uint32_t> order_of(const Bytes& bytes, const BlockPass& pass, std::uint64_t index) {
  PassOrder order;
  order.begin(pass, kSeed, index);
  std::vector<std::uint32_t> out(pass.count);
  order.copy(bytes.rows, 0, pass.count, out.data());
  return out;
}

std::vector<std::uint32_t> order_of(const Bytes& bytes, const BlockCut& cut, std::uint64_t index) {
  return order_of(bytes, shuffled_pass(cut, kSeed, index), index);
}

bool contains_each_row_once(std::vector<std::uint32_t> order) {
  std::sort(order.begin(), order.end());
  for (std::size_t i = 0; i < order.size(); i++) {
    if (order[i] != i) return false;
  }
  return true;
}

// The rows of each window.
std::vector<int> window_sizes(const BlockPass& pass) {
  std::vector<int> sizes(pass.window_count());
  for (int i = 0; i < pass.block_count(); i++) {
    const int block = pass.blocks[i];
    sizes[i / pass.window_blocks] += pass.end(block) - pass.begin(block);
  }
  return sizes;
}

// Sizes without a pattern.
struct Sizes {
  int rows, row_bytes, batch;
  std::size_t window_bytes;
};

std::vector<Sizes> some_sizes() {
  std::mt19937 draw(5);
  const auto from = [&](double low, double high) {
    return static_cast<int>(low * std::pow(high / low, std::uniform_real_distribution<double>(0, 1)(draw)));
  };
  std::vector<Sizes> sizes = {{1, 1, 1, 1}, {2, 1, 1, 1}, {2, 3, 1, 1}, {1000, 7, 1, 100}, {1001, 7, 1000, 100}};
  for (int i = 0; i < (kSanitized ? 30 : 300); i++) {
    const int rows = from(1, 5000);
    sizes.push_back({rows, from(1, 50), std::min(rows, from(1, 3000)), static_cast<std::size_t>(from(1, 60000))});
  }
  return sizes;
}

TEST(BlockShuffle, TakesEachRowOnce) {
  for (const Sizes& s : some_sizes()) {
    SCOPED_TRACE(testing::Message() << s.rows << " rows of " << s.row_bytes << " bytes, batches of " << s.batch << ", windows of "
                                    << s.window_bytes);
    const Bytes bytes(s.rows, s.row_bytes);
    const BlockCut cut = cut_in_blocks(s.rows, s.row_bytes, s.batch, s.window_bytes);
    for (int epoch = 0; epoch < 3; epoch++) ASSERT_TRUE(contains_each_row_once(order_of(bytes, cut, epoch)));
  }
}

TEST(BlockShuffle, PutsABatchIntoTwoWindowsAtMost) {
  for (const Sizes& s : some_sizes()) {
    const BlockCut cut = cut_in_blocks(s.rows, s.row_bytes, s.batch, s.window_bytes);
    for (int epoch = 0; epoch < 3; epoch++) {
      const std::vector<int> sizes = window_sizes(shuffled_pass(cut, kSeed, epoch));
      for (std::size_t window = 0; window + 1 < sizes.size(); window++) {
        ASSERT_GE(sizes[window], s.batch);
        ASSERT_LE(sizes[window], cut.window_rows());
      }
    }
  }
}

TEST(BlockShuffle, ShufflesEachWindowAmongItsOwnBlocks) {
  const Bytes bytes(1000, 10);
  const BlockCut cut = cut_in_blocks(1000, 10, 4, 1 << 11);
  const BlockPass pass = shuffled_pass(cut, kSeed, 3);
  ASSERT_GT(pass.window_count(), 3);
  const std::vector<std::uint32_t> order = order_of(bytes, pass, 3);
  int place = 0;
  for (int window = 0; window < pass.window_count(); window++) {
    std::vector<std::uint32_t> expected, got;
    const int from = window * pass.window_blocks, to = std::min(pass.block_count(), from + pass.window_blocks);
    for (int i = from; i < to; i++) {
      for (int row = pass.begin(pass.blocks[i]); row < pass.end(pass.blocks[i]); row++) expected.push_back(row);
    }
    got.assign(order.begin() + place, order.begin() + place + expected.size());
    EXPECT_NE(got, expected);
    std::sort(expected.begin(), expected.end());
    std::sort(got.begin(), got.end());
    EXPECT_EQ(got, expected);
    place += static_cast<int>(expected.size());
  }
  EXPECT_EQ(place, 1000);
}

TEST(BlockShuffle, OfRowsThatFitAWindowIsTheShuffleOfAllRows) {
  const Bytes bytes(1000, 10);
  std::vector<std::uint32_t> expected(1000);
  permutation(expected.data(), 1000, kSeed, static_cast<std::uint32_t>(Stream::shuffle), 4);
  EXPECT_EQ(order_of(bytes, cut_in_blocks(1000, 10, 32, 10000), 4), expected);
  EXPECT_EQ(order_of(bytes, cut_in_blocks(1000, 10, 32), 4), expected);
  EXPECT_NE(order_of(bytes, cut_in_blocks(1000, 10, 32, 9999), 4), expected);
}

TEST(BlockShuffle, MovesTheEdgesOfBlocksFromEpochToEpoch) {
  // 8 rows a block.
  const BlockCut cut = cut_in_blocks(100'000, 16, 4, 128 << 10);
  ASSERT_EQ(cut.block_rows, 8);
  std::set<int> firsts;
  for (int epoch = 0; epoch < 200; epoch++) {
    const int first = shuffled_pass(cut, kSeed, epoch).first_rows;
    EXPECT_GE(first, 1);
    EXPECT_LE(first, 8);
    firsts.insert(first);
  }
  EXPECT_EQ(firsts.size(), 8u);
}

TEST(BlockShuffle, IsAFunctionOfSeedAndEpoch) {
  const BlockCut cut = cut_in_blocks(5000, 16, 4, 8000);
  const BlockPass pass = shuffled_pass(cut, 1, 2);
  EXPECT_EQ(pass.blocks, shuffled_pass(cut, 1, 2).blocks);
  EXPECT_NE(pass.blocks, shuffled_pass(cut, 2, 2).blocks);
  EXPECT_NE(pass.blocks, shuffled_pass(cut, 1, 3).blocks);
}

// Blocks of one row: every row is equally often at every place.
TEST(BlockShuffle, PutsARowEquallyOftenAtEachPlace) {
  constexpr int kRows = 24, kEach = 1000;
  const Bytes bytes(kRows, 1);
  const BlockCut cut = cut_in_blocks(kRows, 1, 3, 8);
  ASSERT_EQ(cut.block_rows, 1);
  ASSERT_FALSE(cut.one_window);
  std::vector<std::vector<int>> seen(kRows, std::vector<int>(kRows));
  for (int epoch = 0; epoch < kRows * kEach; epoch++) {
    const std::vector<std::uint32_t> order = order_of(bytes, cut, epoch);
    for (int place = 0; place < kRows; place++) seen[order[place]][place]++;
  }
  for (const std::vector<int>& places : seen) {
    double chi_squared = 0;
    for (int count : places) chi_squared += std::pow(count - kEach, 2) / kEach;
    EXPECT_LT(chi_squared, tolerance::kChiSquared23);
  }
}

// Blocks of 8 rows in 7 windows or 8: a row is equally often in each 24th of the epoch.
TEST(BlockShuffle, SpreadsTheRowsOfABlockOverTheEpoch) {
  constexpr int kRows = 1200, kEach = 200, kParts = 24;
  const Bytes bytes(kRows, 16);
  BlockCut cut = cut_in_blocks(kRows, 16, 4, 16 << 10);
  cut.block_rows = 8;
  cut.window_blocks = 20;
  ASSERT_FALSE(cut.one_window);
  for (int row : {0, 1, 9, 600, 1199}) {
    std::vector<int> seen(kParts);
    for (int epoch = 0; epoch < kParts * kEach; epoch++) {
      const std::vector<std::uint32_t> order = order_of(bytes, cut, epoch);
      const auto place = std::find(order.begin(), order.end(), row) - order.begin();
      seen[place * kParts / kRows]++;
    }
    double chi_squared = 0;
    for (int count : seen) chi_squared += std::pow(count - kEach, 2) / kEach;
    EXPECT_LT(chi_squared, tolerance::kChiSquared23) << row;
    if (kSanitized) break;
  }
}

TEST(BlockCut, HasFourBlocksForEachRowOfABatchWhereBlocksOf16KiBAllowIt) {
  constexpr std::size_t kMiB = 1 << 20;
  for (const int row_bytes : {28, 112, 784, 3072, 12288}) {
    for (const int batch : {1, 32, 256, 1000, 3000}) {
      SCOPED_TRACE(testing::Message() << row_bytes << " bytes, batches of " << batch);
      const BlockCut cut = cut_in_blocks(200'000'000, row_bytes, batch);
      const double bytes = static_cast<double>(cut.block_rows) * row_bytes;
      const double window = static_cast<double>(cut.window_rows()) * row_bytes;
      EXPECT_LE(bytes, 128 << 10);
      EXPECT_LE(window, 130 * kMiB);
      const bool fills_window = row_bytes >= 64;  // else the number of its rows is bounded
      const bool smallest = bytes < (16 << 10) + 2 * row_bytes;
      EXPECT_TRUE(!fills_window || window >= 120 * kMiB);
      EXPECT_TRUE(smallest || cut.window_blocks >= 4 * batch);
      EXPECT_TRUE(!fills_window || batch > 256 || bytes >= 0.97 * (128 << 10) - row_bytes);
    }
  }
}

TEST(BlockCut, HasWindowsOfABatchWhereThatIsLonger) {
  const BlockCut cut = cut_in_blocks(10'000, 100, 3000, 1000);
  EXPECT_GE(cut.window_rows(), 3000);
  EXPECT_FALSE(cut.one_window);
  EXPECT_TRUE(cut_in_blocks(10'000, 100, 9999, 1000).one_window);
}

TEST(BlockCut, HasNearlyEqualWindows) {
  // A window and a row.
  const BlockCut cut = cut_in_blocks((8 << 20) + 1, 16, 32);
  EXPECT_FALSE(cut.one_window);
  const std::vector<int> sizes = window_sizes(shuffled_pass(cut, kSeed, 0));
  ASSERT_EQ(sizes.size(), 5u);
  EXPECT_GT(*std::min_element(sizes.begin(), sizes.end()), 0.95 * *std::max_element(sizes.begin(), sizes.end()));
}

TEST(BlockCut, TakesAsManyRowsAsThereMayBe) {
  constexpr int kMost = 2147483647;
  for (const int row_bytes : {1, 100}) {
    const BlockPass pass = shuffled_pass(cut_in_blocks(kMost, row_bytes, 256), kSeed, 0);
    EXPECT_EQ(pass.begin(0), 0);
    EXPECT_EQ(pass.end(pass.block_count() - 1), kMost);
    const std::vector<int> sizes = window_sizes(pass);
    EXPECT_EQ(std::accumulate(sizes.begin(), sizes.end(), std::int64_t{0}), kMost);
    // The order of a window takes 8 MiB.
    EXPECT_LT(*std::max_element(sizes.begin(), sizes.end()), 1.05 * (1 << 21));
  }
}

// A source of 500 rows, of which it uses some.
class EpochOrder : public testing::Test {
 protected:
  static constexpr int kRows = 333, kBatch = 20, kSteps = 17;
  const std::vector<std::uint8_t> data = std::vector<std::uint8_t>(500 * 8);
  std::vector<std::uint32_t> own = std::vector<std::uint32_t>(kRows);
  Rows used = rows_of(data, 8);

  EpochOrder() {
    for (int i = 0; i < kRows; i++) own[i] = 499 - i;
    used.count = kRows;
    used.order = own.data();
  }

  static TrainingOptions options(Shuffling shuffle) {
    TrainingOptions out;
    out.shuffle = shuffle;
    out.window_bytes = 400;
    return out;
  }
};

TEST_F(EpochOrder, IsTheSameFromWhateverStepItIsEntered) {
  for (const Shuffling shuffle : {Shuffling::rows, Shuffling::blocks}) {
    MemoryRows<float> rows(used);
    EpochRows whole(options(shuffle), kRows, kBatch);
    whole.draw(rows, 5);
    std::vector<std::vector<std::uint32_t>> expected;
    std::vector<std::uint32_t> all;
    for (int step = 0; step < kSteps; step++) {
      const std::uint32_t* order = whole.order(rows, step);
      expected.emplace_back(order, order + std::min(kBatch, kRows - step * kBatch));
      all.insert(all.end(), expected.back().begin(), expected.back().end());
      if (step % 3 != 0) whole.prepare(rows, step + 1 < kSteps ? step + 1 : 0);
    }
    std::sort(all.begin(), all.end());
    EXPECT_TRUE(std::equal(own.rbegin(), own.rend(), all.begin(), all.end()));
    for (int entered = 0; entered < kSteps; entered++) {
      EpochRows other(options(shuffle), kRows, kBatch);
      other.draw(rows, 4);
      if (entered % 2 == 0) other.order(rows, 3);
      other.draw(rows, 5);
      for (int step = entered; step < kSteps; step++) {
        const std::uint32_t* order = other.order(rows, step);
        ASSERT_TRUE(std::equal(expected[step].begin(), expected[step].end(), order)) << step << " from " << entered;
      }
    }
  }
}

// Remembers what it is told.
class Follower final : public RowSource<float> {
 public:
  explicit Follower(int rows) : RowSource<float>(rows, 8, nullptr) {}

  void follow(const BlockPass& pass, const BlockPass* next) override {
    passes.push_back(pass.blocks);
    nexts.push_back(next->blocks);
  }
  std::size_t row_bytes() const override { return 8; }
  void read(const std::uint32_t*, int, MatrixView<float>) const override {}
  void read_labels(const std::uint32_t*, int, int, std::uint32_t*) const override {}
  double value(int, int) const override { return 0; }

  std::vector<std::vector<std::uint32_t>> passes, nexts;
};

TEST_F(EpochOrder, TellsTheSourceEachPassAndTheNext) {
  Follower rows(kRows);
  EpochRows epochs(options(Shuffling::blocks), kRows, kBatch);
  for (int epoch : {3, 3, 4, 5}) epochs.draw(rows, epoch);
  ASSERT_EQ(rows.passes.size(), 3u);
  EXPECT_EQ(rows.passes[1], rows.nexts[0]);
  EXPECT_EQ(rows.passes[2], rows.nexts[1]);
  EXPECT_NE(rows.passes[1], rows.passes[0]);
  // A job that goes on in the middle tells it too.
  Follower again(kRows);
  EpochRows(options(Shuffling::blocks), kRows, kBatch).draw(again, 4);
  ASSERT_EQ(again.passes.size(), 1u);
  EXPECT_EQ(again.passes[0], rows.passes[1]);
  EXPECT_EQ(again.nexts[0], rows.nexts[1]);
}

}  // namespace
}  // namespace layerwise

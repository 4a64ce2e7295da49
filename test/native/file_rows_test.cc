// Rows of files have the bits of the same rows in memory.
#include "rows/file_rows.h"

#include <numeric>
#include <random>

#include "file_testing.h"
#include "job_testing.h"
#include "linear/covariance.h"
#include "network/forward.h"

namespace layerwise {
namespace {

constexpr int kCols = 13, kRows = 5000;
constexpr EvaluationMemory kThreeChunks = {0, 0};

const std::vector<int> kCuts = {1, 1700, 0, 23, 2077, 1199};

Network network() { return network_of({kCols, 7, kCols}, Activation::sigmoid, Activation::sigmoid); }
Objective objective() { return objective_of(network(), Loss::squared, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}}); }

// Bytes of a type that are no special number in any of them.
std::vector<std::uint8_t> bytes_of(Storage storage) {
  std::vector<std::uint8_t> bytes(kRows * kCols * traits_of(storage).bytes);
  const std::size_t size = traits_of(storage).bytes;
  for (std::size_t i = 0; i < bytes.size(); i++) {
    bytes[i] = static_cast<std::uint8_t>(i * 2654435761u >> 13);
    // The exponent of floats, which the last bytes have, shall be small.
    if (!traits_of(storage).whole() && i % size == size - 1) bytes[i] = static_cast<std::uint8_t>(0x30 + bytes[i] % 8);
  }
  return bytes;
}

// Rows in memory, and the same in files.
struct Both {
  explicit Both(Storage storage) : bytes(bytes_of(storage)) {
    memory.data = bytes.data();
    memory.storage = storage;
    memory.count = memory.stored = kRows;
    memory.cols = kCols;
    memory.scale = storage == Storage::f32 || storage == Storage::f64 ? 1 : 1.0 / 255;
    files = in_files(folder, memory, kCuts);
  }
  // Only these ranges of rows.
  void take(const std::vector<RowRanges::Range>& ranges) {
    files = changed_files(files, [&](RowFiles& changed) { changed.ranges.emplace(ranges); });
    for (const auto& range : ranges) {
      for (std::uint32_t row = range.first; row < range.second; row++) order.push_back(row);
    }
    memory.order = order.data();
    memory.count = static_cast<int>(order.size());
  }

  TestFolder folder;
  std::vector<std::uint8_t> bytes;
  std::vector<std::uint32_t> order;
  Rows memory, files;
};

const std::vector<RowRanges::Range> kRanges = {{0, 1}, {3, 1500}, {1600, 1705}, {2000, 4999}};

template <typename T>
std::vector<T> all_rows(RowSource<T>& source, int at_once) {
  std::vector<T> out(static_cast<std::size_t>(source.count()) * source.cols());
  for (int i = 0; i < source.count(); i += at_once) {
    const int count = std::min(at_once, source.count() - i);
    source.open(nullptr, i, count);
    source.read(nullptr, i, {out.data() + static_cast<std::size_t>(i) * source.cols(), count, source.cols()});
  }
  return out;
}

TEST(FileRows, OfEveryStorageAreThoseOfMemory) {
  for (int storage = 0; storage < kStorageCount; storage++) {
    Both both(static_cast<Storage>(storage));
    for (const bool ranges : {false, true}) {
      if (ranges) both.take(kRanges);
      for (const int at_once : {1, 777, kRows}) {
        MemoryRows<float> memory(both.memory);
        FileRows<float> files(both.files);
        ASSERT_EQ(files.count(), memory.count());
        EXPECT_TRUE(same_bits(all_rows(memory, at_once), all_rows(files, at_once))) << storage;
        MemoryRows<double> memory64(both.memory);
        FileRows<double> files64(both.files);
        EXPECT_TRUE(same_bits(all_rows(memory64, at_once), all_rows(files64, at_once))) << storage;
        for (const int i : {0, 1, memory.count() - 1}) EXPECT_EQ(files.row_at(nullptr, i), memory.row_at(nullptr, i));
      }
    }
  }
}

std::vector<int> all_thread_counts() {
  std::vector<int> counts = thread_counts();
  counts.insert(counts.begin(), 1);
  return counts;
}

TEST(FileRows, AreEvaluatedWithTheBitsOfRowsInMemory) {
  for (const Storage storage : {Storage::u8, Storage::f32, Storage::f64}) {
    Both both(storage);
    both.take(kRanges);
    const std::vector<float> theta = parameters_of<float>(network(), 1);
    const auto expected = evaluate(network(), objective(), theta, both.memory, 1, kThreeChunks);
    for (const int threads : all_thread_counts()) {
      expect_same_bits(expected, evaluate(network(), objective(), theta, both.files, threads, kThreeChunks));
    }
  }
}

TEST(FileRows, PassForwardWithTheBitsOfRowsInMemory) {
  Both both(Storage::f16);
  const std::vector<float> theta = parameters_of<float>(network(), 1);
  const Network layers = network();
  const auto reconstructed = [&](const Rows& rows, int threads) {
    std::vector<float> out(static_cast<std::size_t>(rows.count) * kCols, kNaN<float>);
    ThreadPool pool;
    pool.run(threads, [&](Team& team) {
      const auto source = make_source<float>(rows);
      ForwardRequest<float> request;
      request.network = &layers;
      request.theta = theta.data();
      request.rows = source.get();
      request.out = out.data();
      FirstBadRow bad;
      EXPECT_TRUE(forward(team, request, StopFlag(), bad));
      EXPECT_EQ(bad.row, -1);
    });
    return out;
  };
  const std::vector<float> expected = reconstructed(both.memory, 1);
  for (const int threads : all_thread_counts()) EXPECT_TRUE(same_bits(expected, reconstructed(both.files, threads)));
}

TEST(FileRows, HaveTheCovarianceOfRowsInMemoryBitForBit) {
  Both both(Storage::i16);
  both.take(kRanges);
  const auto covariance_of = [&](const Rows& rows, int threads) {
    std::vector<double> result(kCols + kCols * kCols);
    ThreadPool pool;
    pool.run(threads, [&](Team& team) {
      const auto source = make_source<double>(rows);
      double scale = 0;
      EXPECT_TRUE(covariance(team, *source, result.data(), result.data() + kCols, scale, StopFlag()));
    });
    return result;
  };
  const std::vector<double> expected = covariance_of(both.memory, 1);
  for (const int threads : all_thread_counts()) EXPECT_TRUE(same_bits(expected, covariance_of(both.files, threads)));
}

TEST(FileRows, TrainInTheirOwnOrderWithTheBitsOfRowsInMemory) {
  Both both(Storage::u8);
  std::vector<double> weights(kRows);
  for (int i = 0; i < kRows; i++) weights[i] = 1 + i % 3;
  both.memory.weights = both.files.weights = weights.data();
  both.take(kRanges);
  const std::vector<float> theta = parameters_of<float>(network(), 1);
  TrainingOptions options = options_of(OptimizerOptions::Kind::adam, 100);
  options.shuffle = Shuffling::none;
  options.corruption = Corruption{Corruption::Kind::masking, 0.3};
  for (const auto kind : {OptimizerOptions::Kind::adam, OptimizerOptions::Kind::lbfgs}) {
    options.optimizer.kind = kind;
    if (kind == OptimizerOptions::Kind::lbfgs) options.batch_size = 0;
    const auto expected = train(network(), objective(), options, theta, both.memory, 2, 0.05, 1);
    for (const int threads : all_thread_counts()) {
      expect_same_bits(expected, train(network(), objective(), options, theta, both.files, 2, 0.05, threads));
    }
  }
}

// A pass in random order over blocks with moved edges.
BlockPass pass_over(int count, int seed) {
  BlockPass pass;
  pass.count = count;
  pass.block_rows = 64;
  pass.first_rows = 1 + seed % 64;
  pass.window_blocks = 9;
  pass.blocks.resize(1 + (count - pass.first_rows + 63) / 64);
  std::iota(pass.blocks.begin(), pass.blocks.end(), 0);
  std::shuffle(pass.blocks.begin(), pass.blocks.end(), std::mt19937(seed));
  return pass;
}

// The positions of a pass: those of each window in random order.
std::vector<std::uint32_t> order_of(const BlockPass& pass, int seed) {
  std::vector<std::uint32_t> order;
  for (int window = 0; window < pass.window_count(); window++) {
    const auto begin = static_cast<std::ptrdiff_t>(order.size());
    const int end = std::min((window + 1) * pass.window_blocks, pass.block_count());
    for (int i = window * pass.window_blocks; i < end; i++) {
      const int block = static_cast<int>(pass.blocks[i]);
      for (int position = pass.begin(block); position < pass.end(block); position++) order.push_back(position);
    }
    std::shuffle(order.begin() + begin, order.end(), std::mt19937(seed + window));
  }
  return order;
}

TEST(FileRows, InTheOrderOfBlocksAreThoseOfMemory) {
  Both both(Storage::u8);
  both.take(kRanges);
  const int count = both.memory.count;
  MemoryRows<float> memory(both.memory);
  FileRows<float> files(both.files);
  // Batches straddle windows; the longest needs three of them. An epoch may be entered at any batch.
  for (const int batch : {1, 100, 1500}) {
    for (int epoch = 0; epoch < 4; epoch++) {
      const BlockPass pass = pass_over(count, epoch), next = pass_over(count, epoch + 1);
      files.follow(pass, epoch == 2 ? nullptr : &next);
      const std::vector<std::uint32_t> order = order_of(pass, epoch);
      ASSERT_EQ(static_cast<int>(order.size()), count);
      std::vector<std::uint32_t> rows(count);
      for (int i = 0; i < count; i++) {
        files.entries(static_cast<int>(order[i]), 1, &rows[i]);
        rows[i] = static_cast<std::uint32_t>(memory.row_at(nullptr, static_cast<int>(rows[i])));
        EXPECT_EQ(files.row_at(order.data(), i), rows[i]);
      }
      for (int i = epoch == 1 ? 2000 : 0; i < count; i += batch) {
        const int n = std::min(batch, count - i);
        std::vector<float> expected(n * kCols), found(n * kCols);
        memory.read(rows.data(), i, {expected.data(), n, kCols});
        files.open(order.data(), i, n);
        files.read(order.data(), i, {found.data(), n, kCols});
        ASSERT_TRUE(same_bits(expected, found)) << batch << ' ' << epoch << ' ' << i;
      }
    }
  }
}

TEST(FileRows, AreLookedAtAndReadInAnyOrderWithoutAPass) {
  Both both(Storage::f32);
  both.take(kRanges);
  MemoryRows<float> memory(both.memory);
  FileRows<float> files(both.files);
  std::vector<float> expected(50 * kCols), found(50 * kCols);
  for (const int first : {1400, 0, 3000}) {
    files.look(first, 50);
    files.read(nullptr, first, {found.data(), 50, kCols});
    memory.read(nullptr, first, {expected.data(), 50, kCols});
    EXPECT_TRUE(same_bits(expected, found));
    const std::uint32_t order[] = {9, 3, 4, 5, static_cast<std::uint32_t>(first)};
    files.open(order, 0, 5);
    files.read(order, 0, {found.data(), 5, kCols});
    for (int i = 0; i < 5; i++) {
      memory.read(nullptr, static_cast<int>(order[i]), {expected.data(), 1, kCols});
      EXPECT_EQ(std::memcmp(expected.data(), found.data() + i * kCols, kCols * sizeof(float)), 0) << i;
    }
  }
}

TEST(FileRows, TrainInTheOrderOfBlocksWithTheBitsOfRowsInMemory) {
  Both both(Storage::u8);
  both.take(kRanges);
  const std::vector<float> theta = parameters_of<float>(network(), 1);
  TrainingOptions options = options_of(OptimizerOptions::Kind::adam, 50);
  options.shuffle = Shuffling::blocks;
  options.window_bytes = 1000 * kCols;
  options.corruption = Corruption{Corruption::Kind::masking, 0.3};
  const auto expected = train(network(), objective(), options, theta, both.memory, 3, 0.05, 1);
  for (const int threads : all_thread_counts()) {
    expect_same_bits(expected, train(network(), objective(), options, theta, both.files, 3, 0.05, threads));
  }
}

}  // namespace
}  // namespace layerwise

// Sparse rows: how they are read, and that they give what the same dense rows give.
#include <gtest/gtest.h>

#include <limits>

#include "naive_cost.h"
#include "rows/indexed_chunk.h"
#include "rows/scan.h"
#include "rows/sparse_rows.h"
#include "tolerances.h"

namespace layerwise {
namespace {

// Rows in which one number of `sparsity` is not zero: with all zeros, and without them.
struct SparseSample {
  SparseSample(int rows, int cols, int sparsity) : dense(random_vector<double>(rows * cols, 0.1, 0.9, 5)), cols(cols) {
    const std::vector<double> chosen = random_vector<double>(dense.size(), 0, sparsity, 6);
    for (std::size_t k = 0; k < dense.size(); k++) {
      if (k % cols == 0) starts.push_back(static_cast<std::uint32_t>(values.size()));
      if (chosen[k] > 1) {
        dense[k] = 0;
        continue;
      }
      values.push_back(dense[k]);
      columns.push_back(static_cast<std::uint32_t>(k % cols));
    }
    starts.push_back(static_cast<std::uint32_t>(values.size()));
  }

  Rows indexed() const {
    Rows rows = rows_of(dense, cols);
    rows.data = values.data();
    rows.stored = rows.count;
    rows.starts = starts.data();
    rows.columns = columns.data();
    rows.elements = values.size();
    return rows;
  }

  std::vector<double> dense, values;
  std::vector<std::uint32_t> starts, columns;
  int cols;
};

TEST(IndexedRows, GiveTheCostAndGradientOfDenseRowsInOneChunkAndInSeveral) {
  const SparseSample sample(700, 61, 12);
  const Network network = autoencoder(61, 23);
  const std::vector<double> theta = parameters_of<double>(network, 1);
  for (const Loss loss : {Loss::squared, Loss::euclidean, Loss::absolute, Loss::cross_entropy}) {
    Penalty penalty{0, PenaltyKind::kl, 0.2, 0.6, Average::exact};
    const Objective objective = objective_of(network, loss, 1e-3, {penalty});
    const Evaluated<double> expected = evaluate(network, objective, theta, TestRows(rows_of(sample.dense, 61)));
    for (const std::size_t chunk : {Plan::kChunkBytes, std::size_t{1}}) {
      EvaluationMemory memory;
      memory.chunk = chunk;
      const Evaluated<double> got = evaluate(network, objective, theta, TestRows(sample.indexed()), 2, memory);
      EXPECT_NEAR(got.parts.total(), expected.parts.total(), tolerance::kCost * expected.parts.total());
      EXPECT_LT(gradient_error(got.gradient, expected.gradient), 4 * tolerance::kSameGradient * kEpsilon<double>);
    }
  }
}

TEST(IndexedRows, GiveTheSameBitsAtAnyNumberOfThreads) {
  const SparseSample sample(513, 301, 30);
  const Network network = autoencoder(301, 77);
  const std::vector<float> theta = parameters_of<float>(network, 1);
  const Objective objective = objective_of(network, Loss::squared, 1e-3);
  const Evaluated<float> alone = evaluate(network, objective, theta, TestRows(sample.indexed()), 1);
  for (const int threads : thread_counts()) {
    expect_same_bits(alone, evaluate(network, objective, theta, TestRows(sample.indexed()), threads));
  }
}

TEST(IndexedRows, AreMaskedAsTheSameDenseRowsAre) {
  const SparseSample sample(40, 31, 3);
  const Noise noise({Corruption::Kind::masking, 0.4}, 3, 1, 2);
  const SparseRows<double> source(sample.indexed());
  IndexedChunk<double> chunk;
  chunk.open(source, nullptr, 0, 40, &noise);
  ASSERT_TRUE(chunk.fill(0, 40));
  const IndexedRows<double> x = chunk.input();
  std::vector<double> expected(31);
  for (int i = 0; i < 40; i++) {
    noise.corrupt(i, sample.dense.data() + i * 31, 31, expected.data());
    for (std::size_t k = x.starts[i]; k < x.starts[i + 1]; k++) EXPECT_EQ(x.values[k], expected[x.columns[k]]);
  }
}

TEST(IndexedRows, AreListedByColumnInTheOrderOfTheRows) {
  const SparseSample sample(30, 17, 4);
  const SparseRows<double> source(sample.indexed());
  IndexedChunk<double> chunk;
  chunk.open(source, nullptr, 3, 20);
  ASSERT_TRUE(chunk.fill(0, 20));
  chunk.sort_columns();
  const IndexedColumns<double>& lists = *chunk.input().by_column;
  std::vector<double> found(20 * 17);
  for (int c = 0; c < lists.count; c++) {
    if (c > 0) {
      EXPECT_GT(lists.columns[c], lists.columns[c - 1]);
    }
    for (std::size_t k = lists.starts[c]; k < lists.starts[c + 1]; k++) {
      if (k > lists.starts[c]) {
        EXPECT_GT(lists.rows[k], lists.rows[k - 1]);
      }
      found[lists.rows[k] * 17 + lists.columns[c]] = lists.values[k];
    }
  }
  EXPECT_EQ(found, std::vector<double>(sample.dense.begin() + 3 * 17, sample.dense.begin() + 23 * 17));
}

TEST(IndexedRows, WithWrongIndicesAreZerosAndRemembered) {
  SparseSample sample(9, 10, 2);
  const auto broken_row = [&] {
    const SparseRows<double> source(sample.indexed());
    std::vector<double> read(90);
    source.read(nullptr, 0, {read.data(), 9, 10});
    if (source.broken_row() >= 0) {
      for (int j = 0; j < 10; j++) EXPECT_EQ(read[source.broken_row() * 10 + j], 0);
    }
    return source.broken_row();
  };
  EXPECT_EQ(broken_row(), -1);
  const std::uint32_t first = sample.starts[4];
  std::swap(sample.columns[first], sample.columns[first + 1]);
  EXPECT_EQ(broken_row(), 4);
  std::swap(sample.columns[first], sample.columns[first + 1]);
  sample.columns[sample.starts[6] - 1] = 10;
  EXPECT_EQ(broken_row(), 5);
  sample.starts[2] = 1 << 30;
  EXPECT_EQ(broken_row(), 1);
}

TEST(IndexedRows, AreScannedForTheFirstBadPlaceAndTheirZerosCount) {
  SparseSample sample(600, 10, 2);
  const auto scanned = [&](double low, double high) {
    FirstBadRow bad;
    ThreadPool pool;
    pool.run(3, [&](Team& team) {
      SparseRows<double> source(sample.indexed());
      EXPECT_TRUE(scan(team, source, low, high, StopFlag(), bad));
    });
    return bad;
  };
  EXPECT_EQ(scanned(0, 1).row, -1);
  const FirstBadRow zero = scanned(0.05, 1);
  EXPECT_EQ(zero.row, 0);
  EXPECT_EQ(sample.dense[zero.column], 0);
  const std::uint32_t place = sample.starts[500];
  sample.values[place] = std::numeric_limits<double>::infinity();
  EXPECT_EQ(scanned(0, 1).row, 500);
  EXPECT_EQ(scanned(0, 1).column, static_cast<int>(sample.columns[place]));
  sample.columns[sample.starts[301] - 1] = 77;
  EXPECT_EQ(scanned(0, 1).row, 300);
  EXPECT_EQ(scanned(0, 1).fault, FirstBadRow::Fault::index);
}

}  // namespace
}  // namespace layerwise

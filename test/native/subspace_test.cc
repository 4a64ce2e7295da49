#include "linear/subspace.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core_testing.h"
#include "linear/covariance.h"
#include "linear/eigen.h"
#include "products/blas.h"

namespace layerwise {
namespace {

struct Directions {
  std::vector<double> mean, values, vectors;
  double total = kNaN<double>;
  SubspaceEnd end = SubspaceEnd::stalled;
};

Directions leading(const Rows& rows, int count, int threads = 2, const StopFlag& stop = StopFlag(),
                   int rounds = kSubspaceRounds) {
  blas_start();
  Directions got{std::vector<double>(rows.cols, kNaN<double>), std::vector<double>(count, kNaN<double>),
                 std::vector<double>(static_cast<std::size_t>(count) * rows.cols, kNaN<double>)};
  LeadingDirections out{got.mean.data(), got.values.data(), got.vectors.data(), count, got.total, 0};
  MemoryRows<double> source(rows);
  ThreadPool pool;
  pool.run(threads, [&](Team& team) { got.end = leading_directions(team, source, out, stop, rounds); });
  got.total = out.total;
  return got;
}

// By the whole covariance and all its eigenvectors.
Directions whole(const Rows& rows) {
  const int n = rows.cols;
  Directions got{std::vector<double>(n), std::vector<double>(n), std::vector<double>(static_cast<std::size_t>(n) * n)};
  MemoryRows<double> source(rows);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    double scale = 0;
    EXPECT_TRUE(covariance(team, source, got.mean.data(), got.vectors.data(), scale, StopFlag()));
    EXPECT_EQ(scale, 1);
    EXPECT_TRUE(symmetric_eigen(team, got.vectors.data(), n, got.values.data(), [] { return false; }));
  });
  got.total = 0;
  for (const double value : got.values) got.total += value;
  return got;
}

// Rows far from zero, in which column j has a spread of about falloff^j, mixed by a rotation of neighbours.
std::vector<double> sloping_rows(int m, int n, double falloff) {
  std::vector<double> x = random_vector<double>(static_cast<std::size_t>(m) * n, -1, 1, 1);
  for (int i = 0; i < m; i++) {
    double* row = x.data() + static_cast<std::size_t>(i) * n;
    double spread = 1;
    for (int j = 0; j < n; j++, spread *= falloff) row[j] *= spread;
    for (int j = 0; j + 1 < n; j++) {
      const double a = row[j], b = row[j + 1];
      row[j] = 0.6 * a - 0.8 * b;
      row[j + 1] = 0.8 * a + 0.6 * b;
    }
    for (int j = 0; j < n; j++) row[j] += 10;
  }
  return x;
}

void expect_leading(const Directions& got, const Directions& expected, int n) {
  ASSERT_EQ(got.end, SubspaceEnd::converged);
  const double scale = expected.values[0];
  EXPECT_NEAR(got.total, expected.total, tolerance::kSubspace * expected.total);
  for (std::size_t i = 0; i < got.values.size(); i++) {
    EXPECT_NEAR(got.values[i], expected.values[i], tolerance::kSubspace * scale) << i;
    const double gap =
        std::min(i == 0 ? scale : expected.values[i - 1] - expected.values[i], expected.values[i] - expected.values[i + 1]);
    for (int j = 0; j < n; j++) {
      ASSERT_NEAR(got.vectors[i * n + j], expected.vectors[i * n + j], tolerance::kSubspace * scale / gap) << i << ' ' << j;
    }
  }
}

TEST(Subspace, FindsTheLeadingEigenvectorsOfTheWholeCovariance) {
  const std::vector<double> x = sloping_rows(900, 300, 0.97);
  for (int count : {1, 7, 40}) expect_leading(leading(rows_of(x, 300), count), whole(rows_of(x, 300)), 300);
}

TEST(Subspace, FindsEigenvectorsOfManyMoreColumnsThanRows) {
  const std::vector<double> x = sloping_rows(50, 700, 0.99);
  expect_leading(leading(rows_of(x, 700), 12), whole(rows_of(x, 700)), 700);
}

TEST(Subspace, FindsHalfOfAllEigenvectors) {
  const std::vector<double> x = sloping_rows(200, 24, 0.8);
  expect_leading(leading(rows_of(x, 24), 12), whole(rows_of(x, 24)), 24);
  const std::vector<double> pair = sloping_rows(200, 2, 0.5);
  expect_leading(leading(rows_of(pair, 2), 1), whole(rows_of(pair, 2)), 2);
}

TEST(Subspace, ContinuesInRandomDirectionsBeyondTheRankOfTheRows) {
  constexpr int kCols = 120, kCount = 9;
  // Five rows span four directions about their mean.
  const Directions got = leading(rows_of(sloping_rows(5, kCols, 0.9), kCols), kCount);
  ASSERT_EQ(got.end, SubspaceEnd::converged);
  for (int i = 0; i < kCount; i++) {
    if (i >= 4) {
      EXPECT_NEAR(got.values[i], 0, tolerance::kSubspace * got.values[0]);
    }
    for (int k = 0; k <= i; k++) {
      double product = 0;
      for (int j = 0; j < kCols; j++) product += got.vectors[i * kCols + j] * got.vectors[k * kCols + j];
      EXPECT_NEAR(product, i == k ? 1 : 0, tolerance::kSubspace) << i << ' ' << k;
    }
  }
  const std::vector<double> constant(7 * 30, 3.0);
  const Directions none = leading(rows_of(constant, 30), 2);
  EXPECT_EQ(none.end, SubspaceEnd::converged);
  EXPECT_EQ(none.values, std::vector<double>(2, 0.0));
  EXPECT_EQ(none.total, 0);
}

TEST(Subspace, ConvergesWithoutDominantDirections) {
  const std::vector<double> x = random_vector<double>(600 * 400, -1, 1, 1);
  const Directions got = leading(rows_of(x, 400), 10), expected = whole(rows_of(x, 400));
  ASSERT_EQ(got.end, SubspaceEnd::converged);
  for (int i = 0; i < 10; i++) EXPECT_NEAR(got.values[i], expected.values[i], tolerance::kSubspace * expected.values[0]);
  EXPECT_EQ(leading(rows_of(x, 400), 10, 2, StopFlag(), 3).end, SubspaceEnd::stalled);
}

TEST(Subspace, ReadsMoreRowsThanFitOneChunk) {
  constexpr int kRows = 1500, kCols = 3000, kCount = 2;  // two chunks
  const std::vector<double> x = sloping_rows(kRows, kCols, 0.9);
  const Directions got = leading(rows_of(x, kCols), kCount);
  ASSERT_EQ(got.end, SubspaceEnd::converged);
  for (int k = 0; k < kCount; k++) {
    double variance = 0;
    for (int i = 0; i < kRows; i++) {
      double along = 0;
      for (int j = 0; j < kCols; j++) along += (x[i * kCols + j] - got.mean[j]) * got.vectors[k * kCols + j];
      variance += along * along / kRows;
    }
    EXPECT_NEAR(variance, got.values[k], tolerance::kSubspace * got.values[0]);
  }
  double total = 0;
  for (int i = 0; i < kRows; i++) {
    for (int j = 0; j < kCols; j++) total += (x[i * kCols + j] - got.mean[j]) * (x[i * kCols + j] - got.mean[j]) / kRows;
  }
  EXPECT_NEAR(got.total, total, tolerance::kSubspace * total);
}

TEST(Subspace, HasTheSameBitsAtAnyNumberOfThreads) {
  const std::vector<double> x = sloping_rows(700, 521, 0.98);  // three tiles of columns, eleven blocks of rows
  const Directions one = leading(rows_of(x, 521), 5, 1);
  for (int threads : thread_counts()) {
    const Directions more = leading(rows_of(x, 521), 5, threads);
    EXPECT_TRUE(same_bits(one.mean, more.mean)) << threads;
    EXPECT_TRUE(same_bits(one.values, more.values)) << threads;
    EXPECT_TRUE(same_bits(one.vectors, more.vectors)) << threads;
    EXPECT_EQ(one.total, more.total);
  }
}

TEST(Subspace, StopsWhenAskedTo) {
  const std::vector<double> x = sloping_rows(100, 40, 0.9);
  std::int32_t words[] = {1, 0};
  EXPECT_EQ(leading(rows_of(x, 40), 3, 2, StopFlag(words)).end, SubspaceEnd::stopped);
}

}  // namespace
}  // namespace layerwise

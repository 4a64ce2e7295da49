#include "linear/covariance.h"

#include <gtest/gtest.h>

#include <vector>

#include "core_testing.h"

namespace layerwise {
namespace {

struct Moments {
  std::vector<double> mean, covariance;
  double scale = 0;
};

Moments moments_of(const Rows& rows, int threads) {
  Moments got{std::vector<double>(rows.cols, kNaN<double>),
              std::vector<double>(static_cast<std::size_t>(rows.cols) * rows.cols, kNaN<double>), 0};
  MemoryRows<double> source(rows);
  ThreadPool pool;
  pool.run(threads, [&](Team& team) {
    EXPECT_TRUE(covariance(team, source, got.mean.data(), got.covariance.data(), got.scale, StopFlag()));
  });
  return got;
}

// Against the definition in long double.
void expect_right(const Moments& got, const std::vector<double>& x, int n) {
  const std::size_t m = x.size() / n;
  std::vector<long double> mean(n, 0);
  for (std::size_t i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) mean[j] += x[i * n + j] / static_cast<long double>(m);
  }
  for (int j = 0; j < n; j++) ASSERT_NEAR(got.mean[j], mean[j], tolerance::kMean * std::fabs(static_cast<double>(mean[j])));
  for (int a = 0; a < n; a++) {
    for (int b = 0; b < n; b++) {
      long double sum = 0;
      for (std::size_t i = 0; i < m; i++) sum += (x[i * n + a] - mean[a]) * (x[i * n + b] - mean[b]);
      ASSERT_NEAR(got.covariance[static_cast<std::size_t>(a) * n + b], sum / m, tolerance::kCovariance) << a << ' ' << b;
    }
  }
}

TEST(Covariance, IsAccurateFarFromZero) {
  // A mean of 1000 beside a spread of 1: sums of squares less squares of sums would lose six digits.
  const std::vector<double> x = random_vector<double>(301 * 11, 1000, 1003, 1);
  expect_right(moments_of(rows_of(x, 11), 2), x, 11);
}

TEST(Covariance, IsAsAccurateWithALargeOffsetAsWithout) {
  for (double offset : {1e4, 1e9, 1e12}) {
    std::vector<double> x = random_vector<double>(3001 * 5, -1, 1, 1), moved(x.size());
    for (std::size_t i = 0; i < x.size(); i++) {
      x[i] += offset;
      moved[i] = x[i] - offset;
    }
    const Moments got = moments_of(rows_of(x, 5), 2), wanted = moments_of(rows_of(moved, 5), 2);
    for (std::size_t i = 0; i < 25; i++) ASSERT_NEAR(got.covariance[i], wanted.covariance[i], tolerance::kCovariance) << offset;
    for (int j = 0; j < 5; j++) ASSERT_NEAR(got.mean[j], offset + wanted.mean[j], kEpsilon<double> * offset) << offset;
  }
}

TEST(Covariance, OfTinyAndHugeNumbersIsScaledByAPowerOfTwo) {
  const std::vector<double> x = random_vector<double>(300 * 4, -1, 1, 1);
  const Moments ordinary = moments_of(rows_of(x, 4), 2);
  EXPECT_EQ(ordinary.scale, 1);
  for (int exponent : {-530, -900, 530, 1000}) {
    std::vector<double> far(x.size());
    for (std::size_t i = 0; i < x.size(); i++) far[i] = std::ldexp(x[i], exponent);
    const Moments got = moments_of(rows_of(far, 4), 2);
    const double left = std::ldexp(got.scale, exponent);
    for (std::size_t i = 0; i < 16; i++) ASSERT_EQ(got.covariance[i], ordinary.covariance[i] * left * left) << exponent;
    for (int j = 0; j < 4; j++) ASSERT_EQ(got.mean[j], std::ldexp(ordinary.mean[j], exponent)) << exponent;
  }
}

TEST(Covariance, IsCorrectForOneRowAndForOneColumn) {
  const std::vector<double> x = random_vector<double>(7, -1, 1, 1);
  const Moments row = moments_of(rows_of(x, 7), 2);
  EXPECT_EQ(row.mean, x);
  EXPECT_EQ(row.covariance, std::vector<double>(49, 0.0));
  expect_right(moments_of(rows_of(x, 1), 2), x, 1);
}

TEST(Covariance, ReadsBytesScaled) {
  std::vector<std::uint8_t> bytes(200 * 5);
  for (std::size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<std::uint8_t>(i * i % 251);
  Rows rows = rows_of(bytes, 5);
  rows.scale = 1.0 / 255;
  std::vector<double> x;
  for (std::uint8_t byte : bytes) x.push_back(byte * rows.scale);
  expect_right(moments_of(rows, 2), x, 5);
}

TEST(Covariance, HasTheSameBitsAtAnyNumberOfThreadsAndIsSymmetric) {
  constexpr int kCols = 261;                                                    // three tiles
  const std::vector<double> x = random_vector<double>(2100 * kCols, -1, 1, 1);  // two chunks
  const Moments one = moments_of(rows_of(x, kCols), 1);
  for (int threads : thread_counts()) {
    const Moments more = moments_of(rows_of(x, kCols), threads);
    EXPECT_TRUE(same_bits(one.mean, more.mean)) << threads;
    EXPECT_TRUE(same_bits(one.covariance, more.covariance)) << threads;
  }
  for (int a = 0; a < kCols; a++) {
    for (int b = 0; b < a; b++) ASSERT_EQ(one.covariance[a * kCols + b], one.covariance[b * kCols + a]);
  }
}

TEST(Covariance, StopsWhenAskedTo) {
  const std::vector<double> x(100, 1.0);
  std::vector<double> mean(10), matrix(100);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    StopFlag stop;
    stop.abandon();
    double scale;
    MemoryRows<double> source(rows_of(x, 10));
    EXPECT_FALSE(covariance(team, source, mean.data(), matrix.data(), scale, stop));
  });
}

}  // namespace
}  // namespace layerwise

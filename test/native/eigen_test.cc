#include "linear/eigen.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "base/random.h"
#include "products/blas.h"
#include "tolerances.h"

namespace layerwise {
namespace {

// Row-major, symmetric.
struct Square {
  int n;
  std::vector<double> entries;

  explicit Square(int n) : n(n), entries(static_cast<std::size_t>(n) * n) {}
  double& operator()(int i, int j) { return entries[static_cast<std::size_t>(i) * n + j]; }
  double operator()(int i, int j) const { return entries[static_cast<std::size_t>(i) * n + j]; }
};

struct Decomposition {
  bool done = false;
  Square vectors;
  std::vector<double> values;
};

Decomposition decompose(const Square& a, int threads = 2, const std::function<bool()>& should_stop = [] { return false; }) {
  blas_start();
  Decomposition out{false, a, std::vector<double>(a.n)};
  ThreadPool pool;
  pool.run(threads, [&](Team& team) {
    out.done = symmetric_eigen(team, out.vectors.entries.data(), a.n, out.values.data(), should_stop);
  });
  return out;
}

Square random_symmetric(int n, std::uint64_t seed) {
  Square a(n);
  uniform(a.entries.data(), a.entries.size(), -1, 1, seed, 0, 0);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < i; ++j) a(i, j) = a(j, i);
  return a;
}

// Q diag(values) Q^T for a random orthogonal Q, made of n reflections.
Square with_values(const std::vector<double>& values, std::uint64_t seed) {
  const int n = static_cast<int>(values.size());
  Square a(n);
  for (int i = 0; i < n; ++i) a(i, i) = values[i];
  std::vector<double> v(n), w(n);
  for (int k = 0; k < 3; ++k) {
    uniform(v.data(), v.size(), -1, 1, seed, 0, k);
    double norm = 0;
    for (const double x : v) norm += x * x;
    for (double& x : v) x /= std::sqrt(norm);
    // A := A - 2 v w^T - 2 w v^T with w = A v - (v^T A v) v
    double along = 0;
    for (int i = 0; i < n; ++i) {
      w[i] = 0;
      for (int j = 0; j < n; ++j) w[i] += a(i, j) * v[j];
      along += w[i] * v[i];
    }
    for (int i = 0; i < n; ++i) w[i] -= along * v[i];
    for (int i = 0; i < n; ++i)
      for (int j = 0; j < n; ++j) a(i, j) -= 2 * (v[i] * w[j] + w[i] * v[j]);
  }
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < i; ++j) a(i, j) = a(j, i);
  return a;
}

// The vectors are orthonormal, A v = value v, the values fall, and every vector's largest entry is positive.
void expect_decomposed(const Square& a, const Decomposition& out, const std::string& what) {
  SCOPED_TRACE(what + ", n = " + std::to_string(a.n));
  ASSERT_TRUE(out.done);
  const int n = a.n;
  const Square& v = out.vectors;
  double largest = 0;
  for (const double x : out.values) largest = std::max(largest, std::fabs(x));
  double residual = 0, skew = 0;
  for (int i = 0; i < n; ++i) {
    for (int j = 0; j < n; ++j) {
      double product = 0, overlap = i == j ? -1 : 0;
      for (int k = 0; k < n; ++k) {
        product += v(i, k) * a(k, j);
        overlap += v(i, k) * v(j, k);
      }
      residual = std::max(residual, std::fabs(product - out.values[i] * v(i, j)));
      skew = std::max(skew, std::fabs(overlap));
    }
  }
  EXPECT_LE(skew, tolerance::kEigen * n);
  EXPECT_LE(residual, tolerance::kEigen * n * largest);
  EXPECT_TRUE(std::is_sorted(out.values.rbegin(), out.values.rend()));
  for (int i = 0; i < n; ++i) {
    const auto row = v.entries.begin() + static_cast<std::ptrdiff_t>(i) * n;
    EXPECT_GT(*std::max_element(row, row + n, [](double x, double y) { return std::fabs(x) < std::fabs(y); }), 0);
  }
}

void expect_values(const std::vector<double>& values, std::vector<double> expected) {
  std::sort(expected.rbegin(), expected.rend());
  const double largest = std::max(std::fabs(expected.front()), std::fabs(expected.back()));
  for (std::size_t i = 0; i < values.size(); ++i) {
    EXPECT_NEAR(values[i], expected[i], tolerance::kEigen * values.size() * largest) << i;
  }
}

TEST(SymmetricEigen, DecomposesRandomMatricesOfSizesAboutItsBlocks) {
  for (const int n : {1, 2, 3, 4, 5, 17, 31, 32, 33, 34, 35, 36, 63, 64, 65, 66, 67, 95, 97, 128, 129, 200, 257}) {
    const Square a = random_symmetric(n, 1);
    expect_decomposed(a, decompose(a), "random");
  }
}

TEST(SymmetricEigen, SolvesTwoByTwo) {
  Square a(2);
  a.entries = {2, 1, 1, 2};
  const auto out = decompose(a);
  expect_decomposed(a, out, "2 x 2");
  expect_values(out.values, {3, 1});
}

TEST(SymmetricEigen, FindsTheValuesOfTheSecondDifference) {
  for (const int n : {10, 100, 150}) {
    Square a(n);
    std::vector<double> expected(n);
    for (int i = 0; i < n; ++i) {
      a(i, i) = 2;
      if (i > 0) a(i, i - 1) = a(i - 1, i) = -1;
      expected[i] = 2 - 2 * std::cos((i + 1) * std::acos(-1.0) / (n + 1));
    }
    const auto out = decompose(a);
    expect_decomposed(a, out, "second difference");
    expect_values(out.values, expected);
  }
}

TEST(SymmetricEigen, KeepsTheValuesOfADiagonalMatrix) {
  Square a(70);
  std::vector<double> expected(70);
  for (int i = 0; i < 70; ++i) a(i, i) = expected[i] = (i * 37) % 70 - 20.5;
  const auto out = decompose(a);
  expect_decomposed(a, out, "diagonal");
  std::sort(expected.rbegin(), expected.rend());
  EXPECT_EQ(out.values, expected);
}

TEST(SymmetricEigen, AcceptsZeroAndIdentity) {
  for (const int n : {1, 2, 40, 100}) {
    Square a(n);
    const auto zero = decompose(a);
    expect_decomposed(a, zero, "zero");
    EXPECT_EQ(zero.values, std::vector<double>(n, 0.0));
    for (int i = 0; i < n; ++i) a(i, i) = 1;
    const auto one = decompose(a);
    expect_decomposed(a, one, "identity");
    EXPECT_EQ(one.values, std::vector<double>(n, 1.0));
  }
}

TEST(SymmetricEigen, KeepsVectorsOrthogonalIfValuesRepeatOrCluster) {
  std::vector<double> repeated, clustered, wide;
  for (int i = 0; i < 120; ++i) {
    repeated.push_back(i % 3);
    clustered.push_back(1 + (i % 4) + 1e-14 * i);
    wide.push_back(std::pow(10, -0.25 * i));
  }
  for (const auto& [values, what] : {std::pair{repeated, "repeated"}, {clustered, "clustered"}, {wide, "30 decades"}}) {
    const Square a = with_values(values, 7);
    const auto out = decompose(a);
    expect_decomposed(a, out, what);
    expect_values(out.values, values);
  }
}

TEST(SymmetricEigen, SeparatesTheClosePairsOfWilkinsonsMatrix) {
  const int n = 101;
  Square a(n);
  for (int i = 0; i < n; ++i) {
    a(i, i) = std::abs(i - n / 2);
    if (i > 0) a(i, i - 1) = a(i - 1, i) = 1;
  }
  expect_decomposed(a, decompose(a), "Wilkinson");
}

TEST(SymmetricEigen, GivesZeroValuesBeyondTheRank) {
  const int n = 150, rank = 9;
  std::vector<double> x(static_cast<std::size_t>(rank) * n);
  uniform(x.data(), x.size(), 0, 1, 3, 0, 0);
  Square a(n);
  for (int i = 0; i < n; ++i)
    for (int j = 0; j < n; ++j)
      for (int k = 0; k < rank; ++k) a(i, j) += x[k * n + i] * x[k * n + j];
  const auto out = decompose(a);
  expect_decomposed(a, out, "rank 9");
  EXPECT_GT(out.values[rank - 1], 1);
  for (int i = rank; i < n; ++i) EXPECT_NEAR(out.values[i], 0, tolerance::kEigen * n * out.values[0]);
}

TEST(SymmetricEigen, IsIndependentOfTheScale) {
  const Square a = random_symmetric(50, 5);
  const auto plain = decompose(a);
  for (const int exponent : {-1000, -600, 600, 1000}) {
    Square scaled = a;
    for (double& x : scaled.entries) x = std::ldexp(x, exponent);
    auto out = decompose(scaled);
    ASSERT_TRUE(out.done);
    EXPECT_EQ(out.vectors.entries, plain.vectors.entries) << exponent;
    for (double& x : out.values) x = std::ldexp(x, -exponent);
    EXPECT_EQ(out.values, plain.values) << exponent;
  }
}

TEST(SymmetricEigen, GivesTheSameBitsAtAnyNumberOfThreads) {
  const Square a = random_symmetric(301, 9);
  const auto one = decompose(a, 1);
  for (const int threads : {2, 3, 7}) {
    const auto out = decompose(a, threads);
    EXPECT_EQ(out.values, one.values) << threads;
    EXPECT_EQ(out.vectors.entries, one.vectors.entries) << threads;
  }
}

TEST(SymmetricEigen, RefusesNumbersThatAreNotFinite) {
  for (const double bad : {std::nan(""), std::numeric_limits<double>::infinity()}) {
    Square a = random_symmetric(40, 1);
    a(3, 5) = a(5, 3) = bad;
    EXPECT_FALSE(decompose(a).done);
  }
}

TEST(SymmetricEigen, StopsAtEveryPlaceWhereItPolls) {
  const Square a = random_symmetric(150, 1);
  int asked = 0;
  ASSERT_TRUE(decompose(a, 2, [&] { return ++asked < 0; }).done);
  ASSERT_GT(asked, 10);
  for (const int patience : {1, asked / 2, asked}) {
    int calls = 0;
    EXPECT_FALSE(decompose(a, 2, [&] { return ++calls >= patience; }).done) << patience;
    EXPECT_EQ(calls, patience);
  }
}

}  // namespace
}  // namespace layerwise

#include "products/blas.h"

#include <gtest/gtest.h>

#include <cmath>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include "core_testing.h"
#include "tolerances.h"

#if defined(__linux__)
#include <filesystem>
#endif

namespace layerwise {
namespace {

// Every test of this program multiplies with the OpenBLAS that the addon would use: held at one thread.
class BlasStarted : public testing::Environment {
  void SetUp() override { blas_start(); }
};
[[maybe_unused]] const testing::Environment* const kStarted = testing::AddGlobalTestEnvironment(new BlasStarted);

// C = alpha op(A) op(B) + beta C against the definition in long double; windows in larger matrices. Returns the largest error,
// relative to the bound of so many rounded additions.
template <typename T>
double product_error(std::mt19937& engine, int most) {
  const auto draw = [&](int from, int to) { return std::uniform_int_distribution<int>(from, to)(engine); };
  const int m = draw(1, most), n = draw(1, most), k = draw(1, most);
  const bool turn_a = draw(0, 1), turn_b = draw(0, 1);
  const T alpha = draw(0, 1) ? T(1) : T(-0.5), beta = static_cast<T>(draw(0, 1));
  const int gap = draw(0, 3);
  const unsigned seed = engine();
  const Spaced<T> a(turn_a ? k : m, turn_a ? m : k, gap, -1, 1, seed), b(turn_b ? n : k, turn_b ? k : n, gap, -1, 1, seed + 1);
  Spaced<T> c(m, n, gap, -1, 1, seed + 2);
  const Spaced<T> before = c;
  gemm<T>(turn_a ? Transpose::yes : Transpose::no, turn_b ? Transpose::yes : Transpose::no, alpha, a.view(), b.view(), beta,
          c.view());

  double worst = c.gaps_untouched() ? 0 : kInfinity<double>;
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      long double sum = 0, size = 0;
      for (int l = 0; l < k; l++) {
        const long double term = static_cast<long double>(turn_a ? a.at(l, i) : a.at(i, l)) * (turn_b ? b.at(j, l) : b.at(l, j));
        sum += term;
        size += std::fabs(term);
      }
      const long double expected = alpha * sum + beta * before.at(i, j);
      const long double bound = (k + 2) * kEpsilon<T> * (std::fabs(alpha) * size + beta * std::fabs(before.at(i, j)));
      worst = std::max(worst, static_cast<double>(std::fabs(c.at(i, j) - expected) / bound));
    }
  }
  return worst;
}

TEST(Blas, ProductsFromManyThreadsAtOnceAreRight) {
  std::vector<double> worst(4, 0);
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; t++) {
    threads.emplace_back([&, t] {
      std::mt19937 engine(t);
      for (int i = 0; i < (kSanitized ? 300 : 1000); i++) {
        const int most = i % 100 == 0 ? 150 : 16;
        worst[t] = std::max({worst[t], product_error<float>(engine, most), product_error<double>(engine, most)});
      }
    });
  }
  for (auto& thread : threads) thread.join();
  for (int t = 0; t < 4; t++) EXPECT_LE(worst[t], tolerance::kProduct) << "thread " << t;
}

TEST(Blas, ASecondStartHasNoEffect) {
  blas_start();
  blas_start();
  std::mt19937 engine(9);
  EXPECT_LE(product_error<float>(engine, 200), tolerance::kProduct);
}

TEST(Blas, NamesItsVersionAndKernel) {
  const std::string version = blas_version();
  EXPECT_EQ(std::count(version.begin(), version.end(), '.'), 2) << version;
  EXPECT_FALSE(blas_kernel().empty());
}

#if defined(__linux__)
TEST(Blas, StartsNoThreads) {
  blas_start();
  const Spaced<float> a(600, 600, 0, -1, 1, 1);
  Spaced<float> c(600, 600, 0);
  gemm<float>(Transpose::no, Transpose::no, 1, a.view(), a.view(), 0, c.view());
  int threads = 0;
  for ([[maybe_unused]] const auto& task : std::filesystem::directory_iterator("/proc/self/task")) threads++;
#if defined(__SANITIZE_THREAD__)
  threads--;  // ThreadSanitizer's own
#endif
  EXPECT_EQ(threads, 1);
}
#endif

}  // namespace
}  // namespace layerwise

#include "base/random.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <numeric>
#include <vector>

#include "tolerances.h"

namespace layerwise {
namespace {

using Words = std::array<std::uint32_t, 4>;

// The known answers of Random123 1.14, kat_vectors, philox4x32 with 10 rounds.
TEST(Philox, GivesTheKnownAnswersOfRandom123) {
  EXPECT_EQ(philox({0, 0, 0, 0}, {0, 0}), (Words{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  EXPECT_EQ(philox({~0u, ~0u, ~0u, ~0u}, {~0u, ~0u}), (Words{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}, {0xa4093822, 0x299f31d0}),
            (Words{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

template <typename T>
std::vector<T> draw(std::size_t count, double low, double high, std::uint64_t seed = 1, std::uint32_t stream = 0,
                    std::uint64_t index = 0) {
  std::vector<T> out(count);
  uniform(out.data(), count, low, high, seed, stream, index);
  return out;
}

TEST(Uniform, TakesElementIFromWordIModFourOfBlockIOverFour) {
  const std::uint64_t seed = 0x0001234589abcdef, index = 0x0000000700000003;
  const auto out = draw<double>(10, -2, 3, seed, 2, index);
  for (std::uint32_t i = 0; i < out.size(); ++i) {
    const auto words = philox({i / 4, 2, 3, 7}, {0x89abcdef, 0x00012345});
    EXPECT_EQ(out[i], -2 + 5 * ((words[i % 4] + 0.5) / 4294967296.0)) << i;
  }
}

TEST(Uniform, DoesNotChangeAnElementWithTheCount) {
  const auto all = draw<float>(1001, -1, 1);
  for (const std::size_t count : {1, 2, 3, 4, 5, 999}) {
    const auto some = draw<float>(count, -1, 1);
    EXPECT_TRUE(std::equal(some.begin(), some.end(), all.begin())) << count;
  }
}

TEST(Uniform, ChangesWithSeedStreamAndIndexInAllTheirBits) {
  const auto base = draw<double>(8, 0, 1, 5, 1, 9);
  EXPECT_EQ(draw<double>(8, 0, 1, 5, 1, 9), base);
  EXPECT_NE(draw<double>(8, 0, 1, 6, 1, 9), base);
  EXPECT_NE(draw<double>(8, 0, 1, 5 + (std::uint64_t{1} << 52), 1, 9), base);
  EXPECT_NE(draw<double>(8, 0, 1, 5, 2, 9), base);
  EXPECT_NE(draw<double>(8, 0, 1, 5, 1, 10), base);
  EXPECT_NE(draw<double>(8, 0, 1, 5, 1, 9 + (std::uint64_t{1} << 40)), base);
}

TEST(Uniform, NeverReachesTheUpperEndWhenRoundedToFloat) {
  // Two floats are in the interval; a quarter of the draws would round to its upper end.
  const double high = 1 + 0x1p-22;
  const auto out = draw<float>(10000, 1, high);
  EXPECT_EQ(*std::min_element(out.begin(), out.end()), 1.0f);
  EXPECT_EQ(*std::max_element(out.begin(), out.end()), 1.0f + 0x1p-23f);
}

TEST(Uniform, StaysInsideEndsThatAreNotFloats) {
  const double low = 1 + 0x1p-25, high = 1 + 0x1.8p-22;
  for (const float x : draw<float>(10000, low, high)) {
    ASSERT_GE(x, low);
    ASSERT_LT(x, high);
  }
}

TEST(Uniform, HasTheMomentsOfAUniformDistribution) {
  constexpr int kCount = 1000000;
  const auto out = draw<double>(kCount, 0, 1, 42);
  const double mean = std::accumulate(out.begin(), out.end(), 0.0) / kCount;
  double variance = 0, neighbours = 0;
  for (int i = 0; i < kCount; ++i) variance += (out[i] - 0.5) * (out[i] - 0.5) / kCount;
  for (int i = 1; i < kCount; ++i) neighbours += (out[i] - 0.5) * (out[i - 1] - 0.5) / kCount;
  EXPECT_NEAR(mean, 0.5, tolerance::kUniformMoments);
  EXPECT_NEAR(variance, 1.0 / 12, tolerance::kUniformMoments);
  EXPECT_NEAR(neighbours, 0, tolerance::kUniformMoments);
}

std::vector<std::uint32_t> shuffled(std::uint32_t count, std::uint64_t seed, std::uint64_t index) {
  std::vector<std::uint32_t> out(count);
  permutation(out.data(), count, seed, 1, index);
  return out;
}

TEST(Permutation, ContainsEveryNumberOnce) {
  for (const std::uint32_t count : {0, 1, 2, 3, 7, 1000, 60001}) {
    auto order = shuffled(count, 3, 0);
    std::sort(order.begin(), order.end());
    for (std::uint32_t i = 0; i < count; ++i) ASSERT_EQ(order[i], i);
  }
}

TEST(Shuffle, InPartsEqualsAShuffleAtOnceAndKeepsFinalPlaces) {
  const auto whole = shuffled(1000, 3, 0);
  std::vector<std::uint32_t> order(1000);
  std::iota(order.begin(), order.end(), 0u);
  Shuffle shuffle(order.data(), 1000, 3, 1, 0);
  std::uint32_t placed = 0;
  for (const std::uint32_t end : {1, 2, 2, 35, 34, 101, 999, 5000}) {
    shuffle.place(end);
    placed = std::min(std::max(placed, end), 1000u);
    ASSERT_TRUE(std::equal(order.begin(), order.begin() + placed, whole.begin())) << end;
  }
}

TEST(Permutation, IsAFunctionOfSeedAndIndex) {
  EXPECT_EQ(shuffled(100, 3, 1), shuffled(100, 3, 1));
  EXPECT_NE(shuffled(100, 3, 1), shuffled(100, 3, 2));
  EXPECT_NE(shuffled(100, 3, 1), shuffled(100, 4, 1));
}

TEST(Permutation, MakesAllOrdersOfFourEquallyOften) {
  constexpr int kEach = 1000;
  std::map<std::vector<std::uint32_t>, int> seen;
  for (int i = 0; i < 24 * kEach; ++i) ++seen[shuffled(4, 11, i)];
  ASSERT_EQ(seen.size(), 24u);
  double chi_squared = 0;
  for (const auto& [order, count] : seen) chi_squared += std::pow(count - kEach, 2) / kEach;
  EXPECT_LT(chi_squared, tolerance::kChiSquared23);
}

}  // namespace
}  // namespace layerwise

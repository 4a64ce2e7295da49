#include "rows/corruption.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "vector_testing.h"

namespace layerwise {
namespace {

using Kind = Corruption::Kind;
constexpr Kind kKinds[] = {Kind::masking, Kind::gaussian, Kind::salt_and_pepper};

// The number of draws in tests of rates and moments.
constexpr int kRows = 1000, kCols = 1000;

template <typename T>
std::vector<T> corrupted(const Noise& noise, const std::vector<T>& clean, int cols, std::size_t first_row = 0) {
  std::vector<T> out(clean.size(), kNaN<T>);
  for (std::size_t i = 0; i < clean.size() / cols; i++) noise.corrupt(first_row + i, &clean[i * cols], cols, &out[i * cols]);
  return out;
}

// 1,000 x 1,000 values, all of them 0.5.
std::vector<double> corrupted_halves(const Corruption& corruption) {
  return corrupted(Noise(corruption, 7, 1, 2), std::vector<double>(kRows * kCols, 0.5), kCols);
}

double mean_of(const std::vector<double>& x) {
  double sum = 0;
  for (double value : x) sum += value;
  return sum / static_cast<double>(x.size());
}

// Mean of x[i] * x[i + distance].
double product_at(const std::vector<double>& x, std::size_t distance) {
  double sum = 0;
  for (std::size_t i = 0; i + distance < x.size(); i++) sum += x[i] * x[i + distance];
  return sum / static_cast<double>(x.size() - distance);
}

// Values are independent of their neighbours in the row, in the next block of four, and in the next row.
void expect_unrelated(const std::vector<double>& centred, double near) {
  for (int distance : {1, 2, 3, 4, 5, kCols - 1, kCols, kCols + 1})
    EXPECT_NEAR(product_at(centred, distance), 0, near) << distance;
}

TEST(Corruption, MaskingSetsItsShareOfValuesToZeroAndKeepsTheOthers) {
  for (double amount : {0.1, 0.5, 0.75}) {
    std::vector<double> masked = corrupted_halves({Kind::masking, amount});
    for (double& value : masked) {
      ASSERT_TRUE(value == 0 || value == 0.5);
      value = (value == 0) - amount;
    }
    EXPECT_NEAR(mean_of(masked), 0, tolerance::kNoiseRate);
    expect_unrelated(masked, tolerance::kNoiseRate);
  }
}

TEST(Corruption, GaussianAddsNormalNumbersOfItsStandardDeviation) {
  const double amount = 0.3;
  std::vector<double> noise = corrupted_halves({Kind::gaussian, amount}), squares, cubes, fourths;
  for (double& value : noise) {
    value = (value - 0.5) / amount;
    squares.push_back(value * value);
    cubes.push_back(value * value * value);
    fourths.push_back(squares.back() * squares.back());
  }
  EXPECT_NEAR(mean_of(noise), 0, tolerance::kNormalMoments);
  EXPECT_NEAR(mean_of(squares), 1, tolerance::kNormalMoments);
  EXPECT_NEAR(mean_of(cubes), 0, tolerance::kNormalTails);
  EXPECT_NEAR(mean_of(fourths), 3, tolerance::kNormalTails);
  expect_unrelated(noise, tolerance::kNormalMoments);
  for (double& square : squares) square -= 1;
  expect_unrelated(squares, tolerance::kNormalTails);
}

TEST(Corruption, SaltAndPepperSetsHalfOfItsShareToEachEnd) {
  const double amount = 0.4, low = -1.5, high = 2.25;
  const std::vector<double> out = corrupted_halves({Kind::salt_and_pepper, amount, low, high});
  double lows = 0, highs = 0;
  for (double value : out) {
    ASSERT_TRUE(value == low || value == high || value == 0.5);
    lows += value == low;
    highs += value == high;
  }
  EXPECT_NEAR(lows / out.size(), amount / 2, tolerance::kNoiseRate);
  EXPECT_NEAR(highs / out.size(), amount / 2, tolerance::kNoiseRate);
}

TEST(Corruption, OfAmountZeroChangesNothingAndOfAmountOneEverything) {
  const auto clean = random_vector<float>(40 * 13, 0.1, 0.9, 1);
  for (Kind kind : kKinds) EXPECT_EQ(corrupted(Noise({kind, 0}, 1, 0, 0), clean, 13), clean);
  EXPECT_EQ(corrupted(Noise({Kind::masking, 1}, 1, 0, 0), clean, 13), std::vector<float>(clean.size(), 0));
  for (float value : corrupted(Noise({Kind::salt_and_pepper, 1, -1, 2}, 1, 0, 0), clean, 13)) {
    EXPECT_TRUE(value == -1 || value == 2);
  }
}

TEST(Corruption, IsIndependentOfTheOrderAndPartOfTheRows) {
  constexpr int cols = 13, rows = 40;
  const auto clean = random_vector<double>(rows * cols, 0, 1, 1);
  for (Kind kind : kKinds) {
    const Noise noise({kind, 0.4}, 5, 1, 2);
    const auto all = corrupted(noise, clean, cols);
    for (int row = rows - 1; row >= 0; row--) {
      for (int width : {cols, 8, 5, 1}) {
        std::vector<double> part(width);
        noise.corrupt(row, &clean[row * cols], width, part.data());
        EXPECT_TRUE(std::equal(part.begin(), part.end(), all.begin() + row * cols)) << row << ' ' << width;
      }
    }
    EXPECT_EQ(corrupted(Noise({kind, 0.4}, 5, 1, 2), clean, cols), all);
  }
}

TEST(Corruption, IsTheSameInBothPrecisions) {
  const auto clean = random_vector<float>(40 * 13, 0.1, 0.9, 1);
  const std::vector<double> wide(clean.begin(), clean.end());
  for (Kind kind : kKinds) {
    const Noise noise({kind, 0.4}, 5, 1, 2);
    const auto in_float = corrupted(noise, clean, 13);
    const auto in_double = corrupted(noise, wide, 13);
    for (std::size_t i = 0; i < clean.size(); i++) EXPECT_EQ(in_float[i], static_cast<float>(in_double[i]));
  }
}

TEST(Corruption, DiffersByRowSeedFitAndEpochInAllTheirBits) {
  const std::vector<double> clean(200, 0.5);
  for (Kind kind : kKinds) {
    const Corruption corruption{kind, 0.4};
    const auto base = corrupted(Noise(corruption, 5, 1, 2), clean, 200);
    for (const auto& other : {Noise(corruption, 6, 1, 2), Noise(corruption, 5 + (std::uint64_t{1} << 52), 1, 2),
                              Noise(corruption, 5, 0, 2), Noise(corruption, 5, 1 + (1u << 31), 2), Noise(corruption, 5, 2, 1),
                              Noise(corruption, 5, 1, 3), Noise(corruption, 5, 1, 2 + (1u << 31))}) {
      EXPECT_NE(corrupted(other, clean, 200), base);
    }
    for (std::size_t row : {std::size_t(1), std::size_t(1) << 31}) {
      EXPECT_NE(corrupted(Noise(corruption, 5, 1, 2), clean, 200, row), base);
    }
  }
}

}  // namespace
}  // namespace layerwise

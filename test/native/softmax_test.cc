#include "network/softmax.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "naive_cost.h"

namespace layerwise {
namespace {

template <typename T>
class Softmax : public testing::Test {};
TYPED_TEST_SUITE(Softmax, Precisions);

template <typename T>
std::vector<T> softmax_of(std::vector<T> z, int classes, const std::vector<T>& bias) {
  softmax<T>({z.data(), static_cast<int>(z.size()) / classes, classes}, bias.data());
  return z;
}

template <typename T>
std::vector<T> softmax_of(const std::vector<T>& z) {
  return softmax_of(z, static_cast<int>(z.size()), std::vector<T>(z.size(), T(0)));
}

template <typename T>
struct Lost {
  double loss = 0;
  std::vector<T> delta, sums;
  std::vector<std::uint32_t> predicted = {};
};

template <typename T>
Lost<T> lost(const std::vector<T>& z, const std::vector<T>& bias, const std::vector<std::uint32_t>& labels,
             const std::vector<double>& weights, T scale) {
  const int classes = static_cast<int>(bias.size());
  Lost<T> out{0, z, std::vector<T>(bias.size(), kNaN<T>), std::vector<std::uint32_t>(labels.size(), ~0u)};
  out.loss =
      softmax_loss<T>({out.delta.data(), static_cast<int>(labels.size()), classes}, bias.data(),
                      {labels.data(), weights.empty() ? nullptr : weights.data()}, scale, out.sums.data(), out.predicted.data());
  return out;
}

// One row and no biases, scale 1.
template <typename T>
Lost<T> lost(const std::vector<T>& z, std::uint32_t label) {
  return lost<T>(z, std::vector<T>(z.size(), T(0)), {label}, {}, T(1));
}

// ln of the probabilities of one row.
template <typename T>
std::vector<long double> naive_logs(const T* z, const std::vector<T>& bias) {
  std::vector<long double> logs(z, z + bias.size());
  for (std::size_t j = 0; j < logs.size(); j++) logs[j] += bias[j];
  const long double sum = naive_log_sum(logs);
  for (long double& value : logs) value -= sum;
  return logs;
}

TYPED_TEST(Softmax, ProbabilitiesLossAndDeltaFollowTheDefinition) {
  using T = TypeParam;
  const double near = tolerance::kSoftmax * kEpsilon<T>;
  for (int classes : {1, 2, 3, 10, 17, 100}) {
    for (int rows : {1, 5, 33}) {
      for (bool weighted : {false, true}) {
        SCOPED_TRACE(testing::Message() << rows << " x " << classes << (weighted ? " weighted" : ""));
        const auto z = random_vector<T>(std::size_t(rows) * classes, -8, 8, 1), bias = random_vector<T>(classes, -1, 1, 2);
        const auto labels = labels_of(rows, classes, 3);
        const auto weights = weighted ? random_vector<double>(classes, 0.1, 3, 4) : std::vector<double>();
        const T scale = T(1) / static_cast<T>(rows);
        const auto y = softmax_of(z, classes, bias);
        const Lost<T> got = lost(z, bias, labels, weights, scale);
        long double loss = 0;
        std::vector<long double> sums(classes, 0);
        for (int i = 0; i < rows; i++) {
          const auto logs = naive_logs(z.data() + i * classes, bias);
          const long double weight = weighted ? weights[labels[i]] : 1;
          loss -= weight * logs[labels[i]];
          for (int j = 0; j < classes; j++) {
            const long double p = std::exp(logs[j]), delta = weight * scale * (p - (j == static_cast<int>(labels[i])));
            ASSERT_NEAR(y[i * classes + j], p, near * p);
            ASSERT_NEAR(got.delta[i * classes + j], delta, near * weight * scale);
            sums[j] += delta;
          }
        }
        EXPECT_NEAR(got.loss, loss, near * rows * 3);
        for (int j = 0; j < classes; j++) EXPECT_NEAR(got.sums[j], sums[j], near * 3);
      }
    }
  }
}

TYPED_TEST(Softmax, HasTheSameLossWithoutADelta) {
  using T = TypeParam;
  auto z = random_vector<T>(5 * 7, -8, 8, 1);
  const auto bias = random_vector<T>(7, -1, 1, 2);
  const auto labels = labels_of(5, 7, 3);
  const std::vector<double> weights = random_vector<double>(7, 0, 2, 4);
  const auto with = lost(z, bias, labels, weights, T(0.2));
  std::vector<std::uint32_t> predicted(5, ~0u);
  EXPECT_EQ(softmax_loss<T>({z.data(), 5, 7}, bias.data(), {labels.data(), weights.data()}, T(0.2), nullptr, predicted.data()),
            with.loss);
  EXPECT_EQ(predicted, with.predicted);
}

TYPED_TEST(Softmax, PredictsTheFirstOfTheMostProbableClassesOrNoneIfNotFinite) {
  using T = TypeParam;
  const std::vector<T> z = {1, 5, 2, 5, -7, 0, 0, 0, 3, 1, 2, 3, kNaN<T>, 1, 1, 1, kInfinity<T>, 1, 1, 1}, bias = {0, 1, 1, 0};
  const std::vector<std::uint32_t> labels = {0, 1, 2, 3, 0}, predicted = {1, 1, 0, 4, 4};
  EXPECT_EQ(lost(z, bias, labels, {}, T(1)).predicted, predicted);
}

TYPED_TEST(Softmax, ARowsBitsDoNotDependOnTheOthers) {
  using T = TypeParam;
  const auto z = random_vector<T>(9 * 11, -8, 8, 1), bias = random_vector<T>(11, -1, 1, 2);
  const auto all = softmax_of(z, 11, bias);
  for (int i = 0; i < 9; i++) {
    const auto one = softmax_of(std::vector<T>(z.begin() + i * 11, z.begin() + (i + 1) * 11), 11, bias);
    EXPECT_TRUE(std::equal(one.begin(), one.end(), all.begin() + i * 11));
  }
}

TYPED_TEST(Softmax, SupportsAStrideAndKeepsThePaddingBetweenRows) {
  using T = TypeParam;
  constexpr int kClassCount = 11, kApart = 16, kRowCount = 9;
  const auto z = random_vector<T>(kRowCount * kClassCount, -8, 8, 1), bias = random_vector<T>(kClassCount, -1, 1, 2);
  const auto labels = labels_of(kRowCount, kClassCount, 3);
  const Lost<T> close = lost(z, bias, labels, {}, T(1));
  const auto probabilities = softmax_of(z, kClassCount, bias);
  std::vector<T> apart(kRowCount * kApart, T(7));
  for (int i = 0; i < kRowCount; i++) std::copy_n(&z[i * kClassCount], kClassCount, &apart[i * kApart]);
  std::vector<T> deltas = apart, sums(kClassCount);
  std::vector<std::uint32_t> predicted(kRowCount);
  softmax<T>({apart.data(), kRowCount, kClassCount, kApart}, bias.data());
  EXPECT_EQ(softmax_loss<T>({deltas.data(), kRowCount, kClassCount, kApart}, bias.data(), {labels.data(), nullptr}, T(1),
                            sums.data(), predicted.data()),
            close.loss);
  EXPECT_EQ(predicted, close.predicted);
  EXPECT_EQ(sums, close.sums);
  for (int i = 0; i < kRowCount; i++) {
    for (int j = 0; j < kApart; j++) {
      const bool between = j >= kClassCount;
      EXPECT_EQ(apart[i * kApart + j], between ? T(7) : probabilities[i * kClassCount + j]);
      EXPECT_EQ(deltas[i * kApart + j], between ? T(7) : close.delta[i * kClassCount + j]);
    }
  }
}

TYPED_TEST(Softmax, LogitsFarApartGiveProbabilityOneAndALossOfTheirDistance) {
  using T = TypeParam;
  for (T far : {T(500), T(1e30)}) {
    const std::vector<T> z = {-far, far, -far};
    EXPECT_EQ(softmax_of(z), (std::vector<T>{0, 1, 0}));
    const Lost<T> right = lost(z, 1), wrong = lost(z, 2);
    EXPECT_EQ(right.loss, 0);
    EXPECT_EQ(right.delta, (std::vector<T>{0, 0, 0}));
    EXPECT_EQ(wrong.loss, 2 * static_cast<double>(far));
    EXPECT_EQ(wrong.delta, (std::vector<T>{0, 1, -1}));
    EXPECT_EQ(wrong.sums, wrong.delta);
  }
}

TYPED_TEST(Softmax, EqualLogitsOfAnySizeAreEquallyProbable) {
  using T = TypeParam;
  for (T z : {T(0), T(500), T(-500), T(1e30), T(-1e30)}) {
    EXPECT_EQ(softmax_of(std::vector<T>(4, z)), std::vector<T>(4, T(0.25)));
    EXPECT_NEAR(lost(std::vector<T>(4, z), 3).loss, std::log(4.0), tolerance::kCost);
  }
}

TYPED_TEST(Softmax, PassesNaNAndInfinityOnToTheirOwnRowOnly) {
  using T = TypeParam;
  for (T bad : {kNaN<T>, kInfinity<T>, -kInfinity<T>}) {
    for (int at = 0; at < 3; at++) {
      std::vector<T> z = {1, 2, 3, 1, 2, 3};
      z[at] = bad;
      const std::vector<T> none(3, T(0)), y = softmax_of(z, 3, none);
      for (int j = 0; j < 3; j++) EXPECT_TRUE(std::isnan(y[j])) << at;
      EXPECT_TRUE(std::equal(y.begin() + 3, y.end(), softmax_of<T>({1, 2, 3}).begin()));
      for (std::uint32_t label : {0, 2}) {
        const Lost<T> got = lost<T>(z, none, {label, label}, {}, T(1));
        EXPECT_TRUE(std::isnan(got.loss));
        for (int j = 0; j < 3; j++) EXPECT_TRUE(std::isnan(got.delta[j]) && std::isnan(got.sums[j]));
        for (int j = 3; j < 6; j++) EXPECT_TRUE(std::isfinite(got.delta[j]));
      }
    }
  }
}

TYPED_TEST(Softmax, OneClassHasProbabilityOne) {
  using T = TypeParam;
  for (T z : {T(-1e30), T(0), T(3)}) {
    EXPECT_EQ(softmax_of<T>({z}), (std::vector<T>{1}));
    const Lost<T> got = lost<T>({z}, 0);
    EXPECT_EQ(got.loss, 0);
    EXPECT_EQ(got.delta[0], 0);
    EXPECT_EQ(got.sums[0], 0);
  }
}

TYPED_TEST(Softmax, AClassOfWeightZeroCountsNothing) {
  using T = TypeParam;
  const Lost<T> got = lost<T>({1, 2, 3, 4}, {0, 0}, {0, 1}, {0, 2}, T(1));
  EXPECT_EQ(got.delta[0], 0);
  EXPECT_EQ(got.delta[1], 0);
  EXPECT_EQ(got.sums[0], got.delta[2]);
  EXPECT_NEAR(got.loss, 2 * std::log1p(std::exp(-1.0)), tolerance::kSoftmax * kEpsilon<T>);
}

TYPED_TEST(Softmax, LargestIsTheFirstOfEquals) {
  using T = TypeParam;
  const auto largest_of = [](const std::vector<T>& x) { return largest(x.data(), static_cast<int>(x.size())); };
  EXPECT_EQ(largest_of({7}), 0u);
  EXPECT_EQ(largest_of({-3, -1, -2}), 1u);
  EXPECT_EQ(largest_of({1, 3, 3, 2, 3}), 1u);
  EXPECT_EQ(largest_of({5, 5, 5}), 0u);
  EXPECT_EQ(largest_of({0, 1, 2, 3}), 3u);
}

}  // namespace
}  // namespace layerwise

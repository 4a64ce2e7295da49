#pragma once
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

#include "kernels/vector_kernels.h"
#include "tolerances.h"

namespace layerwise {

// The levels of this build that this processor has.
inline std::vector<VectorLevel> levels() {
#if defined(LAYERWISE_VECTOR_LEVEL)
  return {vector_level()};
#else
  if (vector_level() == VectorLevel::neon) return {VectorLevel::neon};
  std::vector<VectorLevel> all;
  for (VectorLevel level : {VectorLevel::baseline, VectorLevel::avx2, VectorLevel::avx512}) {
    if (level <= vector_level()) all.push_back(level);
  }
  return all;
#endif
}

// All of the table but softmax, which is no function of one number.
inline constexpr auto kActivations = [] {
  std::array<Activation, kActivationCount - 1> all{};
  for (int i = 0; i + 1 < kActivationCount; i++) all[i] = kActivationTable[i].activation;
  return all;
}();
inline constexpr Loss kLosses[] = {Loss::squared, Loss::euclidean, Loss::absolute, Loss::cross_entropy};

inline bool possible(Loss loss, Activation f) { return loss != Loss::cross_entropy || f == Activation::sigmoid; }

template <typename T>
constexpr T kNaN = std::numeric_limits<T>::quiet_NaN();
template <typename T>
constexpr T kInfinity = std::numeric_limits<T>::infinity();
template <typename T>
constexpr double kEpsilon = std::numeric_limits<T>::epsilon();

template <typename T>
bool same_bits(T a, T b) {
  return std::memcmp(&a, &b, sizeof a) == 0;
}

// Numbers between both, of float, double or uint8: in random_vector.cc.
template <typename T>
std::vector<T> random_vector(std::size_t n, double low, double high, unsigned seed);

// A matrix with padded rows; the padding must not change.
template <typename T>
class Spaced {
 public:
  Spaced(int rows, int cols, int gap) : rows_(rows), cols_(cols), gap_(gap), data_(std::size_t(rows) * (cols + gap), T(-77)) {}
  Spaced(int rows, int cols, int gap, double low, double high, unsigned seed) : Spaced(rows, cols, gap) {
    const auto values = random_vector<T>(std::size_t(rows) * cols, low, high, seed);
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) view().row(i)[j] = values[std::size_t(i) * cols + j];
    }
  }
  MatrixView<T> view() { return {data_.data(), rows_, cols_, std::size_t(cols_ + gap_)}; }
  MatrixView<const T> view() const { return {data_.data(), rows_, cols_, std::size_t(cols_ + gap_)}; }
  T at(int i, int j) const { return view().row(i)[j]; }
  T& at(int i, int j) { return view().row(i)[j]; }
  int rows() const { return rows_; }
  int cols() const { return cols_; }
  bool same_as(const Spaced& other) const {
    return data_.size() == other.data_.size() && std::memcmp(data_.data(), other.data_.data(), data_.size() * sizeof(T)) == 0;
  }
  bool gaps_untouched() const {
    for (int i = 0; i < rows_; i++) {
      for (int j = cols_; j < cols_ + gap_; j++) {
        if (at(i, j) != T(-77)) return false;
      }
    }
    return true;
  }

 private:
  int rows_, cols_, gap_;
  std::vector<T> data_;
};

// Every level, and sizes around the widths of vectors and of groups of rows.
template <typename T, typename Body>
void at_all_sizes(Body&& body) {
  for (VectorLevel level : levels()) {
    for (int cols : {1, 3, 15, 16, 17, 31, 33, 100}) {
      for (int rows : {1, 2, 3, 4, 5, 9}) {
        for (int gap : {0, 5}) {
          SCOPED_TRACE(testing::Message() << vector_level_name(level) << ' ' << rows << " x " << cols << " + " << gap);
          body(vector_kernels<T>(level), rows, cols, gap);
        }
      }
    }
  }
}

// The standard normal distribution, of full relative accuracy in both tails, and its density.
inline long double normal_distribution(long double z) { return std::erfc(-z / std::sqrt(2.0L)) / 2; }
inline long double normal_density(long double z) { return std::exp(-z * z / 2) / std::sqrt(2 * std::acos(-1.0L)); }

// The definitions, in long double.
inline long double apply(Activation f, long double z) {
  switch (f) {
    case Activation::sigmoid:
      return 1 / (1 + std::exp(-z));
    case Activation::tanh:
      return std::tanh(z);
    case Activation::relu:
      return z > 0 ? z : 0;
    case Activation::satlin:
      return z < 0 ? 0 : z > 1 ? 1 : z;
    case Activation::leaky_relu:
      return z > 0 ? z : z / 100;
    case Activation::elu:
      return z > 0 ? z : std::expm1(z);
    case Activation::softplus:
      return std::max(z, 0.0L) + std::log1p(std::exp(-std::abs(z)));
    case Activation::gelu:
      return z * normal_distribution(z);
    case Activation::silu:
      return z / (1 + std::exp(-z));
    case Activation::identity:
    case Activation::softmax:  // not a function of one z
      break;
  }
  return z;
}

// At a kink: 0, and of leaky_relu 0.01.
inline long double slope(Activation f, long double z) {
  const long double a = apply(f, z), s = 1 / (1 + std::exp(-z));
  switch (f) {
    case Activation::sigmoid:
      return a * (1 - a);
    case Activation::tanh:
      return 1 - a * a;
    case Activation::relu:
      return z > 0;
    case Activation::satlin:
      return z > 0 && z < 1;
    case Activation::leaky_relu:
      return z > 0 ? 1 : 0.01L;
    case Activation::elu:
      return z > 0 ? 1 : std::exp(z);
    case Activation::softplus:
      return s;
    case Activation::gelu:
      return normal_distribution(z) + z * normal_density(z);
    case Activation::silu:
      return s + z * s / (1 + std::exp(z));
    case Activation::identity:
    case Activation::softmax:
      break;
  }
  return 1;
}

inline long double sign(long double x) { return x > 0 ? 1 : x < 0 ? -1 : 0; }

using Precisions = testing::Types<float, double>;

}  // namespace layerwise

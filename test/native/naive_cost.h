#pragma once
#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>
#include <vector>

#include "core_testing.h"

namespace layerwise {

// The network's input, [rows, inputs], and its targets: the rows without noise, or classes.
struct NaiveRows {
  std::vector<double> x, target;
  std::vector<std::uint32_t> labels;

  NaiveRows(std::vector<double> x) : x(x), target(std::move(x)) {}
  NaiveRows(std::vector<double> x, std::vector<double> target) : x(std::move(x)), target(std::move(target)) {}
  NaiveRows(std::vector<double> x, std::vector<std::uint32_t> labels) : x(std::move(x)), labels(std::move(labels)) {}
};

// The cost by its definition, row by row in long double.
struct NaiveCost {
  long double loss = 0, weight_decay = 0, sparsity = 0;
  std::vector<std::vector<long double>> means;  // [layers][units]
  long double total() const { return loss + weight_decay + sparsity; }
};

// One row through the layers: z and f(z) of each.
struct NaivePass {
  std::vector<std::vector<long double>> z, a;
};

long double naive_log_sum(const std::vector<long double>& z);
NaivePass naive_pass(const Network& network, const std::vector<long double>& theta, const double* row);
// What a unit of this mean output adds to the cost.
long double naive_penalty(const Penalty& penalty, Activation activation, int unit, long double mean);
NaiveCost naive_cost(const Network& network, const Objective& objective, const std::vector<long double>& theta,
                     const NaiveRows& data);

// d cost / d theta along one direction, by a central difference.
inline long double naive_slope(const Network& network, const Objective& objective, const std::vector<double>& theta,
                               const NaiveRows& data, const std::vector<long double>& direction, long double step = 1e-6L) {
  std::vector<long double> ahead(theta.begin(), theta.end()), behind = ahead;
  for (std::size_t i = 0; i < theta.size(); i++) {
    ahead[i] += step * direction[i];
    behind[i] -= step * direction[i];
  }
  return (naive_cost(network, objective, ahead, data).total() - naive_cost(network, objective, behind, data).total()) /
         (2 * step);
}

inline std::vector<long double> naive_gradient(const Network& network, const Objective& objective,
                                               const std::vector<double>& theta, const NaiveRows& data,
                                               long double step = 1e-6L) {
  std::vector<long double> gradient(theta.size()), axis(theta.size(), 0);
  for (std::size_t i = 0; i < theta.size(); i++) {
    axis[i] = 1;
    gradient[i] = naive_slope(network, objective, theta, data, axis, step);
    axis[i] = 0;
  }
  return gradient;
}

// |g - h| / (|g| + |h|)
template <typename G = double, typename H = long double>
double gradient_error(const std::vector<G>& g, const std::vector<H>& h) {
  long double apart = 0, first = 0, second = 0;
  for (std::size_t i = 0; i < g.size(); i++) {
    const long double a = g[i], b = h[i];
    apart += (a - b) * (a - b);
    first += a * a;
    second += b * b;
  }
  return static_cast<double>(std::sqrt(apart) / (std::sqrt(first) + std::sqrt(second)));
}

inline void expect_right_cost(const NaiveCost& naive, const CostParts& got) {
  EXPECT_NEAR(got.loss, naive.loss, tolerance::kCost * naive.loss);
  EXPECT_NEAR(got.weight_decay, naive.weight_decay, tolerance::kCost * naive.weight_decay);
  EXPECT_NEAR(got.sparsity, naive.sparsity, tolerance::kCost * (1 + std::fabs(naive.sparsity)));
}

// Everything that one evaluation gives, against the definition and its central differences.
inline void expect_right(const Network& network, const Objective& objective, const std::vector<double>& theta,
                         const NaiveRows& data, const Evaluated<double>& got) {
  expect_right_cost(naive_cost(network, objective, {theta.begin(), theta.end()}, data), got.parts);
  EXPECT_LT(gradient_error(got.gradient, naive_gradient(network, objective, theta, data)), tolerance::kGradient);
}

// The cost by its definition, and its slope along a random direction of each layer that has weights of its own.
class NaiveAlong {
 public:
  NaiveAlong(const Network& network, const Objective& objective, const std::vector<double>& theta, const NaiveRows& data)
      : cost_(naive_cost(network, objective, {theta.begin(), theta.end()}, data)) {
    for (const DenseLayer& layer : network.layers) {
      if (!layer.owns_weights()) continue;
      const std::size_t parameters = layer.weight_count() + (layer.has_biases ? layer.outputs : 0);  // biases come next
      const std::vector<double> values = random_vector<double>(parameters, -1, 1, 9);
      std::vector<long double> direction(theta.size(), 0);
      std::copy(values.begin(), values.end(), direction.begin() + layer.weights_at);
      directions_.push_back({layer.weights_at, values, naive_slope(network, objective, theta, data, direction)});
    }
  }

  void expect_right(const Evaluated<double>& got) const {
    expect_right_cost(cost_, got.parts);
    for (const auto& [first, values, slope] : directions_) {
      const double along = std::inner_product(values.begin(), values.end(), got.gradient.begin() + first, 0.0);
      EXPECT_LT(gradient_error({along}, {slope}), tolerance::kGradient);
    }
  }

 private:
  struct Direction {
    std::size_t first;
    std::vector<double> values;
    long double slope;
  };

  NaiveCost cost_;
  std::vector<Direction> directions_;
};

inline void expect_right_along(const Network& network, const Objective& objective, const std::vector<double>& theta,
                               const NaiveRows& data, const Evaluated<double>& got) {
  NaiveAlong(network, objective, theta, data).expect_right(got);
}

}  // namespace layerwise

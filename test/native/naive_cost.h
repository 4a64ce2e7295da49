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

inline long double naive_log_sum(const std::vector<long double>& z) {
  const long double most = *std::max_element(z.begin(), z.end());
  long double sum = 0;
  for (long double value : z) sum += std::exp(value - most);
  return most + std::log(sum);
}

inline NaivePass naive_pass(const Network& network, const std::vector<long double>& theta, const double* row) {
  NaivePass pass;
  std::vector<long double> input(row, row + network.inputs());
  for (const DenseLayer& layer : network.layers) {
    std::vector<long double> z(layer.outputs, 0), a(layer.outputs);
    for (int j = 0; j < layer.outputs; j++) {
      for (int k = 0; k < layer.inputs; k++) {
        const std::size_t at = layer.transposed ? std::size_t(k) * layer.outputs + j : std::size_t(j) * layer.inputs + k;
        z[j] += theta[layer.weights_at + at] * input[k];
      }
      if (layer.has_biases) z[j] += theta[layer.biases_at + j];
    }
    const long double log_sum = naive_log_sum(z);
    for (int j = 0; j < layer.outputs; j++) {
      a[j] = layer.activation == Activation::softmax ? std::exp(z[j] - log_sum) : apply(layer.activation, z[j]);
    }
    input = a;
    pass.z.push_back(std::move(z));
    pass.a.push_back(std::move(a));
  }
  return pass;
}

// What a unit of this mean output adds to the cost.
inline long double naive_penalty(const Penalty& penalty, Activation activation, int unit, long double mean) {
  const long double rho = penalty.targets.empty() ? penalty.target : penalty.targets[unit], beta = penalty.weight;
  const long double r = activation == Activation::tanh ? (mean + 1) / 2 : mean;
  if (penalty.kind == PenaltyKind::l2) return beta * (r - rho) * (r - rho);
  if (penalty.kind == PenaltyKind::constraint) {
    const long double mu = penalty.multipliers.empty() ? 0 : penalty.multipliers[unit];
    return mu * (r - rho) + beta / 2 * (r - rho) * (r - rho);
  }
  const auto kl = [&](long double p) { return beta * (rho * std::log(rho / p) + (1 - rho) * std::log((1 - rho) / (1 - p))); };
  const auto slope = [&](long double p) { return beta * (-rho / p + (1 - rho) / (1 - p)); };
  const long double low = 1e-6, high = 1 - 1e-6;
  if (r < low) return kl(low) + slope(low) * (r - low);
  if (r > high) return kl(high) + slope(high) * (r - high);
  return kl(r);
}

inline long double naive_loss(Loss loss, const std::vector<long double>& z, const std::vector<long double>& y, const double* x) {
  long double sum = 0;
  for (std::size_t j = 0; j < y.size(); j++) {
    const long double error = y[j] - x[j];
    if (loss == Loss::cross_entropy) {
      sum += std::log1p(std::exp(z[j])) - x[j] * z[j];
    } else {
      sum += loss == Loss::absolute ? std::fabs(error) : error * error;
    }
  }
  return loss == Loss::squared ? sum / 2 : (loss == Loss::euclidean ? std::sqrt(sum) : sum);
}

inline NaiveCost naive_cost(const Network& network, const Objective& objective, const std::vector<long double>& theta,
                            const NaiveRows& data) {
  NaiveCost cost;
  const int inputs = network.inputs(), rows = static_cast<int>(data.x.size() / inputs);
  for (const DenseLayer& layer : network.layers) cost.means.emplace_back(layer.outputs, 0);
  std::vector<long double> absolute(network.layers.size(), 0);
  for (int i = 0; i < rows; i++) {
    const NaivePass pass = naive_pass(network, theta, data.x.data() + std::size_t(i) * inputs);
    for (std::size_t l = 0; l < network.layers.size(); l++) {
      for (int j = 0; j < network.layers[l].outputs; j++) {
        cost.means[l][j] += pass.a[l][j] / rows;
        absolute[l] += std::fabs(pass.a[l][j]) / rows;
      }
    }
    const auto& z = pass.z.back();
    if (objective.loss == Loss::log_loss) {
      const std::uint32_t label = data.labels[i];
      const long double weight = objective.class_weights.empty() ? 1 : objective.class_weights[label];
      cost.loss += weight * (naive_log_sum(z) - z[label]) / rows;
    } else {
      cost.loss += naive_loss(objective.loss, z, pass.a.back(), data.target.data() + std::size_t(i) * inputs) / rows;
    }
  }
  for (std::size_t l = 0; l < network.layers.size(); l++) {
    const DenseLayer& layer = network.layers[l];
    if (layer.tied_to >= 0) continue;
    for (std::size_t i = layer.weights_at; i < layer.weights_at + layer.weight_count(); i++) {
      cost.weight_decay += objective.weight_decay[l] / 2 * theta[i] * theta[i];
    }
  }
  for (const Penalty& penalty : objective.penalties) {
    const DenseLayer& layer = network.layers[penalty.layer];
    if (penalty.kind == PenaltyKind::l1) cost.sparsity += penalty.weight * absolute[penalty.layer];
    if (!penalty.on_mean()) continue;
    for (int j = 0; j < layer.outputs; j++) {
      cost.sparsity += naive_penalty(penalty, layer.activation, j, cost.means[penalty.layer][j]);
    }
  }
  return cost;
}

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

// The cost, and the gradient of each layer that has weights of its own along a random direction.
inline void expect_right_along(const Network& network, const Objective& objective, const std::vector<double>& theta,
                               const NaiveRows& data, const Evaluated<double>& got) {
  expect_right_cost(naive_cost(network, objective, {theta.begin(), theta.end()}, data), got.parts);
  for (const DenseLayer& layer : network.layers) {
    if (!layer.owns_weights()) continue;
    const std::size_t parameters = layer.weight_count() + (layer.has_biases ? layer.outputs : 0);  // biases come next
    const std::vector<double> values = random_vector<double>(parameters, -1, 1, 9);
    std::vector<long double> direction(theta.size(), 0);
    std::copy(values.begin(), values.end(), direction.begin() + layer.weights_at);
    const double along = std::inner_product(values.begin(), values.end(), got.gradient.begin() + layer.weights_at, 0.0);
    EXPECT_LT(gradient_error({along}, {naive_slope(network, objective, theta, data, direction)}), tolerance::kGradient);
  }
}

}  // namespace layerwise

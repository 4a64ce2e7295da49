#pragma once
#include <cmath>
#include <vector>

#include "core_testing.h"

namespace layerwise {

// The cost as its definition says, row by row in long double. x [rows, inputs].
struct NaiveCost {
  long double loss = 0, weight_decay = 0, sparsity = 0;
  std::vector<std::vector<long double>> means;  // [layers][units]
  long double total() const { return loss + weight_decay + sparsity; }
};

inline long double naive_divergence(const Penalty& penalty, Activation activation, long double mean) {
  const long double rho = penalty.target, r = activation == Activation::tanh ? (mean + 1) / 2 : mean;
  if (penalty.kind == PenaltyKind::l2) return (r - rho) * (r - rho);
  const auto kl = [&](long double p) { return rho * std::log(rho / p) + (1 - rho) * std::log((1 - rho) / (1 - p)); };
  const auto slope = [&](long double p) { return -rho / p + (1 - rho) / (1 - p); };
  const long double low = 1e-6, high = 1 - 1e-6;
  if (r < low) return kl(low) + slope(low) * (r - low);
  if (r > high) return kl(high) + slope(high) * (r - high);
  return kl(r);
}

inline NaiveCost naive_cost(const Network& network, const Objective& objective, const std::vector<long double>& theta,
                            const std::vector<double>& x) {
  NaiveCost cost;
  const int inputs = network.inputs(), rows = static_cast<int>(x.size() / inputs);
  for (const DenseLayer& layer : network.layers) cost.means.emplace_back(layer.outputs, 0);
  std::vector<long double> absolute(network.layers.size(), 0);
  for (int i = 0; i < rows; i++) {
    const double* row = x.data() + static_cast<std::size_t>(i) * inputs;
    std::vector<long double> a(row, row + inputs), z;
    for (std::size_t l = 0; l < network.layers.size(); l++) {
      const DenseLayer& layer = network.layers[l];
      z.assign(layer.outputs, 0);
      for (int j = 0; j < layer.outputs; j++) {
        const long double* w = theta.data() + layer.weights_at + static_cast<std::size_t>(j) * layer.inputs;
        for (int k = 0; k < layer.inputs; k++) z[j] += w[k] * a[k];
        z[j] += theta[layer.biases_at + j];
      }
      a.resize(layer.outputs);
      for (int j = 0; j < layer.outputs; j++) {
        a[j] = apply(layer.activation, z[j]);
        cost.means[l][j] += a[j] / rows;
        absolute[l] += std::fabs(a[j]) / rows;
      }
    }
    long double row_loss = 0;
    for (int j = 0; j < inputs; j++) {
      const long double error = a[j] - row[j];
      if (objective.loss == Loss::cross_entropy) {
        row_loss += std::log1p(std::exp(z[j])) - row[j] * z[j];
      } else {
        row_loss += objective.loss == Loss::absolute ? std::fabs(error) : error * error;
      }
    }
    if (objective.loss == Loss::squared) row_loss /= 2;
    if (objective.loss == Loss::euclidean) row_loss = std::sqrt(row_loss);
    cost.loss += row_loss / rows;
  }
  for (std::size_t l = 0; l < network.layers.size(); l++) {
    const DenseLayer& layer = network.layers[l];
    for (std::size_t i = layer.weights_at; i < layer.biases_at; i++) {
      cost.weight_decay += objective.weight_decay[l] / 2 * theta[i] * theta[i];
    }
  }
  for (const Penalty& penalty : objective.penalties) {
    if (penalty.kind == PenaltyKind::l1) cost.sparsity += penalty.weight * absolute[penalty.layer];
    if (!penalty.on_mean()) continue;
    for (long double mean : cost.means[penalty.layer]) {
      cost.sparsity += penalty.weight * naive_divergence(penalty, network.layers[penalty.layer].activation, mean);
    }
  }
  return cost;
}

// d cost / d theta along one direction, by a central difference.
inline long double naive_slope(const Network& network, const Objective& objective, const std::vector<double>& theta,
                               const std::vector<double>& x, const std::vector<long double>& direction,
                               long double step = 1e-6L) {
  std::vector<long double> ahead(theta.begin(), theta.end()), behind = ahead;
  for (std::size_t i = 0; i < theta.size(); i++) {
    ahead[i] += step * direction[i];
    behind[i] -= step * direction[i];
  }
  return (naive_cost(network, objective, ahead, x).total() - naive_cost(network, objective, behind, x).total()) / (2 * step);
}

inline std::vector<long double> naive_gradient(const Network& network, const Objective& objective,
                                               const std::vector<double>& theta, const std::vector<double>& x,
                                               long double step = 1e-6L) {
  std::vector<long double> gradient(theta.size()), axis(theta.size(), 0);
  for (std::size_t i = 0; i < theta.size(); i++) {
    axis[i] = 1;
    gradient[i] = naive_slope(network, objective, theta, x, axis, step);
    axis[i] = 0;
  }
  return gradient;
}

// |g - h| / (|g| + |h|)
inline double gradient_error(const std::vector<double>& g, const std::vector<long double>& h) {
  long double apart = 0, first = 0, second = 0;
  for (std::size_t i = 0; i < g.size(); i++) {
    apart += (g[i] - h[i]) * (g[i] - h[i]);
    first += static_cast<long double>(g[i]) * g[i];
    second += h[i] * h[i];
  }
  return static_cast<double>(std::sqrt(apart) / (std::sqrt(first) + std::sqrt(second)));
}

}  // namespace layerwise

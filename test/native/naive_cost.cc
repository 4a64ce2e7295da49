#include "naive_cost.h"

namespace layerwise {

long double naive_log_sum(const std::vector<long double>& z) {
  const long double most = *std::max_element(z.begin(), z.end());
  long double sum = 0;
  for (long double value : z) sum += std::exp(value - most);
  return most + std::log(sum);
}

NaivePass naive_pass(const Network& network, const std::vector<long double>& theta, const double* row) {
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

long double naive_penalty(const Penalty& penalty, Activation activation, int unit, long double mean) {
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

static long double naive_loss(Loss loss, const std::vector<long double>& z, const std::vector<long double>& y, const double* x) {
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

NaiveCost naive_cost(const Network& network, const Objective& objective, const std::vector<long double>& theta,
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

}  // namespace layerwise

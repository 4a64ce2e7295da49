#include "training/job/epoch.h"

#include <algorithm>
#include <limits>
#include <string>

namespace layerwise {

namespace {

std::string activation_name(std::size_t layer) { return "epoch.activation." + std::to_string(layer); }

}  // namespace

Epoch::Epoch(const std::vector<std::size_t>& means) {
  for (const std::size_t units : means) activation.emplace_back(units);
}

void Epoch::begin(int number_begun) {
  number = number_begun;
  step = 0;
  weight = loss = absolute = correct = squared_norm = 0;
  for (auto& sums : activation) std::fill(sums.begin(), sums.end(), 0);
  last = {};
}

void Epoch::add(const CostParts& parts, int rows, double weight_of_rows) {
  step++;
  weight += weight_of_rows;
  loss += parts.loss * rows;
  absolute += parts.sparsity * rows;
  correct += parts.correct;
  last = parts;
}

void Epoch::add_means(std::size_t layer, const std::vector<double>& mean, double weight_of_rows) {
  auto& sums = activation[layer];
  for (std::size_t j = 0; j < mean.size(); j++) sums[j] += mean[j] * weight_of_rows;
}

void Epoch::save(TrainingState& state) const {
  state.integer("epoch.number", number);
  state.integer("epoch.step", step);
  state.number("epoch.weight", weight);
  state.number("epoch.loss", loss);
  state.number("epoch.absolute", absolute);
  state.number("epoch.correct", correct);
  state.number("epoch.squaredNorm", squared_norm);
  save_parts(state, "epoch.last", last);
  for (std::size_t l = 0; l < activation.size(); l++) state.vector(activation_name(l), activation[l]);
}

void Epoch::restore(StateReader& state, int steps_in_epoch) {
  number = static_cast<int>(state.integer("epoch.number", -1, std::numeric_limits<int>::max() - 1));
  step = static_cast<int>(state.integer("epoch.step", 0, steps_in_epoch));
  weight = state.number("epoch.weight");
  loss = state.number("epoch.loss");
  absolute = state.number("epoch.absolute");
  correct = state.number("epoch.correct");
  squared_norm = state.number("epoch.squaredNorm");
  last = parts_of(state, "epoch.last");
  for (std::size_t l = 0; l < activation.size(); l++) {
    state.copy(activation_name(l), activation[l].data(), activation[l].size());
  }
}

void save_parts(TrainingState& state, const std::string& name, const CostParts& parts) {
  state.vector(name, std::vector<double>{parts.loss, parts.weight_decay, parts.sparsity, parts.correct});
}

CostParts parts_of(StateReader& state, const std::string& name) {
  const double* parts = state.vector<double>(name, 4);
  return {parts[0], parts[1], parts[2], parts[3]};
}

}  // namespace layerwise

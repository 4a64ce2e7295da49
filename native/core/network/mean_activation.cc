#include "network/mean_activation.h"

#include <algorithm>

namespace layerwise {

template <typename T>
MeanActivation<T>::MeanActivation(const Network& network, const Objective& objective)
    : network_(network), objective_(objective), penalty_of_(network.layers.size(), nullptr) {
  if (network.depth() > 1) monitored_ = objective.penalties.empty() ? 0 : objective.penalties.front().layer;
  for (auto p = objective.penalties.rbegin(); p != objective.penalties.rend(); ++p) {
    penalty_of_[p->layer] = &*p;
    if (!p->on_mean()) continue;
    deepest_ = std::max(deepest_, p->layer);
    monitored_ = p->layer;
  }
  for (int l = 0; l < network.depth(); l++) {
    const bool on_mean = penalty_of_[l] != nullptr && penalty_of_[l]->on_mean();
    const std::size_t outputs = network.layers[l].outputs;
    pulls_.emplace_back(on_mean ? outputs : 0);
    means_.emplace_back(is_summed(l) ? outputs : 0);
  }
}

template <typename T>
void MeanActivation<T>::clear() {
  for (auto& mean : means_) std::fill(mean.begin(), mean.end(), 0);
}

template <typename T>
void MeanActivation<T>::add(const LayerValues<T>& values, int from, int to) {
  for (int l = from; l <= to; l++) {
    std::vector<double>& sums = means_[l];
    for (int b = 0; b < values.blocks().count && !sums.empty(); b++) {
      const T* of_block = values.activation_sums(l, b);
      for (std::size_t j = 0; j < sums.size(); j++) sums[j] += of_block[j];
    }
  }
}

template <typename T>
double MeanActivation<T>::finish(double weight, const Filter* filter, bool with_value) {
  if (weight == 0) {
    for (auto& pull : pulls_) std::fill(pull.data(), pull.data() + pull.size(), T(0));
    return 0;
  }
  for (auto& mean : means_) {
    for (double& value : mean) value /= weight;
  }
  double value = 0;
  for (std::size_t p = 0; p < objective_.penalties.size(); p++) {
    const Penalty& penalty = objective_.penalties[p];
    if (!penalty.on_mean()) continue;
    const DenseLayer& layer = network_.layers[penalty.layer];
    const double* mean = means_[penalty.layer].data();
    std::vector<double> filtered;
    if (filter != nullptr) {
      filtered = means_[penalty.layer];
      (*filter)(p, filtered);
      mean = filtered.data();
    }
    penalty_pull(penalty, layer.activation, mean, layer.outputs, weight, pulls_[penalty.layer].data());
    if (with_value) value += penalty_value(penalty, layer.activation, mean, layer.outputs);
  }
  return value;
}

template <typename T>
T MeanActivation<T>::l1(int layer, int rows) const {
  const Penalty* penalty = penalty_of_[layer];
  return penalty != nullptr && !penalty->on_mean() ? static_cast<T>(penalty->weight / rows) : T(0);
}

template class MeanActivation<float>;
template class MeanActivation<double>;

}  // namespace layerwise

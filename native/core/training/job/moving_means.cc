#include "training/job/moving_means.h"

#include <cmath>
#include <string>

namespace layerwise {

namespace {

std::string mean_name(std::size_t penalty) { return "movingMeans." + std::to_string(penalty); }

}  // namespace

MovingMeans::MovingMeans(const Network& network, const Objective& objective) {
  for (const Penalty& penalty : objective.penalties) {
    const bool moving = penalty.on_mean() && penalty.average == Average::moving;
    means_.emplace_back(moving ? network.layers[penalty.layer].outputs : 0);
  }
  next_ = means_;
}

void MovingMeans::filter(std::size_t penalty, std::vector<double>& mean) {
  const auto& before = means_[penalty];
  auto& moving = next_[penalty];
  const double correction = 1 - std::pow(kDecay, static_cast<double>(steps_ + 1));
  for (std::size_t j = 0; j < moving.size(); j++) {
    moving[j] = kDecay * before[j] + (1 - kDecay) * mean[j];
    mean[j] = moving[j] / correction;
  }
}

void MovingMeans::keep() {
  means_.swap(next_);
  steps_++;
}

void MovingMeans::save(TrainingState& state) const {
  state.integer("movingMeans.steps", steps_);
  for (std::size_t p = 0; p < means_.size(); p++) state.vector(mean_name(p), means_[p]);
}

void MovingMeans::restore(StateReader& state) {
  steps_ = state.count("movingMeans.steps");
  for (std::size_t p = 0; p < means_.size(); p++) state.copy(mean_name(p), means_[p].data(), means_[p].size());
}

}  // namespace layerwise

#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "network/network.h"
#include "network/objective.h"
#include "training/state.h"

namespace layerwise {

// Exponential means of the batches' mean activations, of the layers whose penalty sees moving means.
class MovingMeans {
 public:
  static constexpr double kDecay = 0.9;

  MovingMeans(const Network& network, const Objective& objective);

  // A batch's means [units] become the moving ones with that batch, in place, their start corrected as Adam corrects its moments;
  // nothing where this penalty sees other means. The batch counts once the step is kept.
  void filter(std::size_t penalty, std::vector<double>& mean);
  void keep();

  void save(TrainingState& state) const;
  void restore(StateReader& state);

 private:
  std::vector<std::vector<double>> means_, next_;  // [penalties][units] without correction; those with the batch that is not kept
  std::int64_t steps_ = 0;                         // kept
};

}  // namespace layerwise

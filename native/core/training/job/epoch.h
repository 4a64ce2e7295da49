#pragma once
#include <cstddef>
#include <string>
#include <vector>

#include "network/objective.h"
#include "training/state.h"

namespace layerwise {

// What the steps of one epoch were so far.
struct Epoch {
  int number = -1;  // -1: none has begun
  int step = 0;     // steps done
  // Sums over the rows of these steps, each times its weight, and of the weights: the rows where they have none.
  double weight = 0;
  double loss = 0, absolute = 0, correct = 0;
  std::vector<std::vector<double>> activation;  // [layers] of each unit's output, where the evaluator has means
  CostParts last;                               // of the last step
  double squared_norm = 0;                      // of the gradient of the epoch's last step

  // Of layers with so many means each.
  explicit Epoch(const std::vector<std::size_t>& means);

  void begin(int number_begun);
  // A step over so many rows of this weight.
  void add(const CostParts& parts, int rows, double weight_of_rows);
  // The means of one layer over rows of this weight.
  void add_means(std::size_t layer, const std::vector<double>& mean, double weight_of_rows);

  void save(TrainingState& state) const;
  void restore(StateReader& state, int steps_in_epoch);
};

// The parts of a cost as one entry of a state.
void save_parts(TrainingState& state, const std::string& name, const CostParts& parts);
CostParts parts_of(StateReader& state, const std::string& name);

}  // namespace layerwise

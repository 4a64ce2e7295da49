#pragma once
#include <vector>

#include "kernels/loss.h"
#include "network/sparsity.h"

namespace layerwise {

// What is minimised: the loss, lambda/2 |W|^2 layer by layer, and penalties on hidden layers, at most one a layer.
struct Objective {
  Loss loss = Loss::squared;
  std::vector<double> weight_decay;  // [layers]
  std::vector<Penalty> penalties;
  std::vector<double> class_weights = {};  // log_loss: [classes], or none for 1
};

struct CostParts {
  double loss = 0;
  double weight_decay = 0;
  double sparsity = 0;
  double correct = 0;  // log_loss: the weights of rows whose label is the most probable class, 1 each without weights
  double total() const { return loss + weight_decay + sparsity; }
};

}  // namespace layerwise

#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "network/objective.h"
#include "rows/block_shuffle.h"
#include "rows/corruption.h"
#include "training/update/optimizer.h"
#include "training/update/weight_constraint.h"

namespace layerwise {

// In which order the steps of an epoch take the rows: their own, a random one, or one that is random within windows of random
// blocks (rows/block_shuffle.h).
enum class Shuffling { none, rows, blocks };

// What a training job is told once.
struct TrainingOptions {
  OptimizerOptions optimizer;
  int batch_size = 0;  // rows a step; 0: all, with the exact mean
  Shuffling shuffle = Shuffling::rows;
  std::size_t window_bytes = kWindowBytes;  // of a shuffle by blocks
  std::uint64_t seed = 0;
  std::uint32_t fit = 0;  // how many fits the model had before
  bool fused = true;      // each block of parameters is updated while its gradient is hot; else once the gradient is whole
  double clip_norm = 0;   // largest 2-norm of the gradient of a step, in split form whatever `fused` says; 0: any. Not with lbfgs
  std::optional<Corruption> corruption;
  WeightConstraint weight_constraint;  // not with lbfgs
};

// What it is told of one piece of work.
struct Span {
  int epoch = 0;  // counted from 0
  double learning_rate = 0;
  double budget_ms = 50;
  // What the penalty of kind constraint shall be from now on, taken over where the round is not that of the last span.
  int round = 0;
  double constraint_weight = 0;
  std::vector<double> multipliers = {};
};

struct SpanResult {
  int steps = 0;
  int steps_in_epoch = 1;
  CostParts cost;  // mean over the rows seen so far in this epoch; its weight decay at most a second old, exact once that is done
  bool cancelled = false;
  bool diverged = false;
  bool epoch_done = false;
  double gradient_norm = 0;
  std::vector<double> mean_activation;
  int evaluations = 0;
  const char* stopped = nullptr;  // "tolerance" or "precision", lbfgs only
};

}  // namespace layerwise

// What a job says of the epoch that it is in.
#include <algorithm>
#include <chrono>
#include <cmath>

#include "training/job/job.h"

namespace layerwise {

template <typename T>
bool TrainingJob<T>::all_finite(Team& team) const {
  constexpr std::size_t kBlock = 1 << 16;
  const std::size_t n = network_.parameters;
  const int blocks = static_cast<int>((n + kBlock - 1) / kBlock);
  std::vector<char> fine(blocks, 0);
  team.each(blocks, [&](int b) {
    const std::size_t from = b * kBlock;
    const double square = kernels_.dot(theta_.data() + from, theta_.data() + from, std::min(kBlock, n - from));
    fine[b] = std::isfinite(square);
  });
  return std::all_of(fine.begin(), fine.end(), [](char f) { return f != 0; });
}

// All parameters are read for it. Within an epoch, of which the loss is a mean so far, that of a second ago will do.
template <typename T>
double TrainingJob<T>::weight_decay_cost(Team& team, bool exact) {
  const auto now = std::chrono::steady_clock::now();
  if (exact || now >= decay_due_) {
    decay_cost_ = evaluator_.weight_decay_cost(team, theta_.data());
    decay_due_ = now + std::chrono::seconds(1);
  }
  return decay_cost_;
}

// `means`: of each layer, over the rows seen so far.
template <typename T>
CostParts TrainingJob<T>::cost_so_far(Team& team, const std::vector<std::vector<double>>& means, bool exact_decay) {
  if (whole_batches()) return epoch_.last;
  CostParts cost;
  cost.correct = epoch_.correct;
  cost.weight_decay = weight_decay_cost(team, exact_decay);
  // Rows of weight 0 alone have no loss and no means.
  if (epoch_.weight == 0) return cost;
  cost.loss = epoch_.loss / epoch_.weight;
  cost.sparsity = epoch_.absolute / epoch_.weight;
  for (const Penalty& penalty : objective_.penalties) {
    if (!penalty.on_mean()) continue;
    const DenseLayer& layer = network_.layers[penalty.layer];
    cost.sparsity += penalty_value(penalty, layer.activation, means[penalty.layer].data(), layer.outputs);
  }
  return cost;
}

template <typename T>
SpanResult TrainingJob<T>::report(Team& team, bool done, bool cancelled) {
  SpanResult result;
  result.steps = result.evaluations = epoch_.step;
  result.steps_in_epoch = steps_in_epoch_;
  result.epoch_done = done;
  result.cancelled = cancelled;
  if (epoch_.step == 0) return result;

  // Parameters are about to be handed over: the cost, which was that of earlier ones, does not vouch for them.
  const bool handed_over = done || cancelled;
  std::vector<std::vector<double>> means = epoch_.activation;
  for (auto& layer : means) {
    for (double& value : layer) value = epoch_.weight > 0 ? value / epoch_.weight : 0;
  }
  result.cost = cost_so_far(team, means, handed_over);
  if (evaluator_.monitored_layer() >= 0) result.mean_activation = means[evaluator_.monitored_layer()];
  result.gradient_norm = std::sqrt(epoch_.squared_norm);
  result.diverged =
      !std::isfinite(result.cost.total()) || (handed_over && !(std::isfinite(result.gradient_norm) && all_finite(team)));
  return result;
}

template SpanResult TrainingJob<float>::report(Team&, bool, bool);
template SpanResult TrainingJob<double>::report(Team&, bool, bool);

}  // namespace layerwise

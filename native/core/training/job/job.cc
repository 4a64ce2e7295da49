#include "training/job/job.h"

#include <algorithm>

namespace layerwise {

namespace {

// A source gives up where this flag is raised, as long as this object lives.
template <typename T>
class Until {
 public:
  Until(RowSource<T>& rows, const StopFlag& stop) : rows_(rows) { rows_.until(&stop); }
  ~Until() { rows_.until(nullptr); }
  Until(const Until&) = delete;
  Until& operator=(const Until&) = delete;

 private:
  RowSource<T>& rows_;
};

// How many means the evaluator has of each layer.
template <typename T>
std::vector<std::size_t> mean_counts(const Evaluator<T>& evaluator, const Network& network) {
  std::vector<std::size_t> counts;
  for (int l = 0; l < network.depth(); l++) counts.push_back(evaluator.means(l).size());
  return counts;
}

}  // namespace

template <typename T>
TrainingJob<T>::TrainingJob(const Network& network, const Objective& objective, const TrainingOptions& options, const T* theta,
                            int rows, EvaluationMemory memory, bool indexed)
    : network_(network),
      objective_(objective),
      options_(options),
      rows_(rows),
      batch_(options.batch_size == 0 ? rows : std::min(options.batch_size, rows)),
      steps_in_epoch_(1 + (rows - 1) / batch_),
      split_(!options.fused || options.clip_norm > 0),
      kernels_(vector_kernels<T>()),
      theta_(network.parameters),
      gradient_(split_ ? network.parameters : 0),
      evaluator_(network, objective, batch_, memory, options.corruption.has_value(), indexed),
      epoch_(mean_counts(evaluator_, network)),
      epoch_rows_(options, rows, batch_),
      moving_means_(network, objective) {
  std::copy(theta, theta + network.parameters, theta_.data());
  if (options.optimizer.kind == OptimizerOptions::Kind::lbfgs) {
    lbfgs_ = std::make_unique<Lbfgs<T>>(network.parameters, options.optimizer.history, options.optimizer.tolerance);
    accepted_means_.resize(evaluator_.mean_activation().size());
  } else {
    optimizer_ = std::make_unique<Optimizer<T>>(options.optimizer, network.parameters);
  }
}

// By the noise of the first epoch, whichever epoch a job that was restored begins in: the choice decides the bits.
template <typename T>
bool TrainingJob<T>::choose_products(RowSource<T>& rows, const StopFlag& stop) {
  std::optional<Noise> noise;
  if (options_.corruption) noise.emplace(*options_.corruption, options_.seed, options_.fit, 0);
  RowSelection<T> selection;
  selection.rows = &rows;
  selection.noise = noise ? &*noise : nullptr;
  return evaluator_.choose_products(selection, stop);
}

template <typename T>
Penalty* TrainingJob<T>::constraint() {
  for (Penalty& penalty : objective_.penalties) {
    if (penalty.kind == PenaltyKind::constraint) return &penalty;
  }
  return nullptr;
}

// The objective changes: lbfgs must forget what it knows of the old one.
template <typename T>
void TrainingJob<T>::begin_round(const Span& span) {
  round_ = span.round;
  evaluator_.set_constraint(span.constraint_weight, span.multipliers);
  if (Penalty* penalty = constraint()) {
    penalty->weight = span.constraint_weight;
    penalty->multipliers = span.multipliers;
  }
  if (lbfgs_) lbfgs_->restart();
}

template <typename T>
SpanResult TrainingJob<T>::run(Team& team, RowSource<T>& rows, const Span& span, const StopFlag& stop) {
  if (span.round != round_) begin_round(span);
  if (epoch_.number != span.epoch) epoch_.begin(span.epoch);
  // Rows that a source gave up to read are never used: whoever opened them sees the flag.
  const Until until(rows, stop);
  SpanResult result;
  if (!choose_products(rows, stop)) {
    result.cancelled = true;
    return result;
  }
  if (lbfgs_) {
    // What it minimises must not change under it: its noise is that of the first epoch.
    epoch_rows_.draw(rows, 0);
    result = lbfgs_iteration(team, rows, stop);
  } else {
    epoch_rows_.draw(rows, epoch_.number);
    result = first_order_steps(team, rows, span, stop);
  }
  ended_ = result.diverged || result.stopped != nullptr;
  return result;
}

template class TrainingJob<float>;
template class TrainingJob<double>;

}  // namespace layerwise

// A job's state, taken out and put back.
#include <limits>

#include "training/job/job.h"

namespace layerwise {

template <typename T>
TrainingState TrainingJob<T>::state() const {
  TrainingState state;
  state.vector("parameters", theta_.data(), network_.parameters);
  state.integer("ended", ended_ ? 1 : 0);
  state.integer("round", round_);
  for (const Penalty& penalty : objective_.penalties) {
    if (penalty.kind != PenaltyKind::constraint) continue;
    state.number("constraint.weight", penalty.weight);
    std::vector<double> multipliers;
    for (int j = 0; j < network_.layers[penalty.layer].outputs; j++) multipliers.push_back(penalty.multiplier_of(j));
    state.vector("constraint.multipliers", std::move(multipliers));
  }
  epoch_.save(state);
  moving_means_.save(state);
  if (lbfgs_) {
    lbfgs_->save(state);
    save_parts(state, "accepted.cost", accepted_);
    state.vector("accepted.means", accepted_means_);
  } else {
    optimizer_->save(state);
  }
  return state;
}

template <typename T>
void TrainingJob<T>::restore(const TrainingState& taken) {
  StateReader state(taken);
  state.copy("parameters", theta_.data(), network_.parameters);
  ended_ = state.flag("ended");
  round_ = static_cast<int>(state.integer("round", 0, std::numeric_limits<int>::max()));
  if (Penalty* penalty = constraint()) {
    const auto units = static_cast<std::size_t>(network_.layers[penalty->layer].outputs);
    penalty->weight = state.number("constraint.weight");
    const double* multipliers = state.vector<double>("constraint.multipliers", units);
    penalty->multipliers.assign(multipliers, multipliers + units);
    evaluator_.set_constraint(penalty->weight, penalty->multipliers);
  }
  epoch_.restore(state, steps_in_epoch_);
  moving_means_.restore(state);
  if (lbfgs_) {
    lbfgs_->restore(state);
    accepted_ = parts_of(state, "accepted.cost");
    state.copy("accepted.means", accepted_means_.data(), accepted_means_.size());
  } else {
    optimizer_->restore(state);
  }
  state.finish();
}

template TrainingState TrainingJob<float>::state() const;
template TrainingState TrainingJob<double>::state() const;
template void TrainingJob<float>::restore(const TrainingState&);
template void TrainingJob<double>::restore(const TrainingState&);

}  // namespace layerwise

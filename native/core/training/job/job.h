#pragma once
#include <chrono>
#include <memory>
#include <vector>

#include "network/evaluation.h"
#include "training/job/epoch.h"
#include "training/job/epoch_rows.h"
#include "training/job/moving_means.h"
#include "training/job/options.h"
#include "training/state.h"
#include "training/update/lbfgs.h"

namespace layerwise {

// One fit: parameters of its own, optimizer state, the order of the rows. Runs on the pool, a span at a time; between spans it is
// at rest.
template <typename T>
class TrainingJob {
 public:
  // Of so many rows. indexed: RowSource::is_indexed() of their source.
  TrainingJob(const Network& network, const Objective& objective, const TrainingOptions& options, const T* theta, int rows,
              EvaluationMemory memory = {}, bool indexed = false);

  // Steps until the epoch is done, the budget is used up or stop is raised. theta() is then the last complete step's.
  SpanResult run(Team& team, RowSource<T>& rows, const Span& span, const StopFlag& stop);

  const T* theta() const { return theta_.data(); }

  // The first epoch that is not over.
  int epoch() const { return epoch_.step == steps_in_epoch_ ? epoch_.number + 1 : std::max(epoch_.number, 0); }

  // Nothing is left to do in this round: it diverged, or lbfgs stopped.
  bool ended(int round) const { return ended_ && round == round_; }

  // At the last complete step. A job with the same network, objective, options and rows that restores it goes on with the same
  // bits, at any number of threads.
  TrainingState state() const;

  // Throws std::invalid_argument where the state is not that of such a job; this one must then not be used any more.
  void restore(const TrainingState& state);

 private:
  bool whole_batches() const { return batch_ == rows_; }
  bool choose_products(RowSource<T>& rows, const StopFlag& stop);
  void begin_round(const Span& span);
  void update_by_whole_gradient(Team& team, const Plan& plan, bool norm);
  void clip(Team& team, const Plan& plan);
  bool step(Team& team, RowSource<T>& rows, const Span& span, const StopFlag& stop);
  SpanResult first_order_steps(Team& team, RowSource<T>& rows, const Span& span, const StopFlag& stop);
  SpanResult lbfgs_iteration(Team& team, RowSource<T>& rows, const StopFlag& stop);
  double weight_decay_cost(Team& team, bool exact);
  CostParts cost_so_far(Team& team, const std::vector<std::vector<double>>& means, bool exact_decay);
  SpanResult report(Team& team, bool done, bool cancelled);
  T decay_of(const Plan::Tile& tile) const { return tile.rows == 0 ? T(0) : static_cast<T>(objective_.weight_decay[tile.layer]); }
  bool all_finite(Team& team) const;
  Penalty* constraint();

  Network network_;
  Objective objective_;
  TrainingOptions options_;
  int rows_, batch_, steps_in_epoch_;
  bool split_;  // the gradient of a step is finished before the update
  const VectorKernels<T>& kernels_;
  Buffer<T> theta_, gradient_;  // the gradient of the split form alone
  Evaluator<T> evaluator_;
  std::unique_ptr<Optimizer<T>> optimizer_;
  std::unique_ptr<Lbfgs<T>> lbfgs_;
  Epoch epoch_;
  EpochRows epoch_rows_;
  MovingMeans moving_means_;
  bool ended_ = false;
  int round_ = 0;
  CostParts accepted_;                  // lbfgs: at the last accepted point
  std::vector<double> accepted_means_;  // there, of the monitored layer

  // Caches and scratch: no result depends on what was in them.
  double decay_cost_ = 0;
  std::chrono::steady_clock::time_point decay_due_{};  // when decay_cost_ is too old
  std::vector<double> tile_norms_;                     // [tiles]
};

}  // namespace layerwise

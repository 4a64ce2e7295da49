#pragma once
#include <algorithm>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "base/random.h"
#include "network/evaluation.h"
#include "rows/corruption.h"
#include "training/lbfgs.h"
#include "training/optimizer.h"
#include "training/weight_constraint.h"

namespace layerwise {

struct TrainingOptions {
  OptimizerOptions optimizer;
  int batch_size = 0;  // rows a step; 0: all, with the exact mean
  bool shuffle = true;
  std::uint64_t seed = 0;
  std::uint32_t fit = 0;  // how many fits the model had before
  bool fused = true;
  std::optional<Corruption> corruption;
  WeightConstraint weight_constraint;  // not with lbfgs
};

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

// One fit: parameters of its own, optimizer state, the order of the rows. Runs on the pool, a span at a time; between spans it is
// at rest.
template <typename T>
class TrainingJob {
 public:
  // The decay of the moving mean of activations.
  static constexpr double kMovingDecay = 0.9;

  // `through`: the layers that the rows go through first, if any; looked at here only.
  TrainingJob(const Network& network, const Objective& objective, const TrainingOptions& options, const T* theta, int rows,
              const Network* through = nullptr);

  // Steps until the epoch is done, the budget is used up or stop is raised. theta() is then the last complete step's.
  SpanResult run(Team& team, const Rows& rows, const Span& span, const StopFlag& stop);

  const T* theta() const { return theta_.data(); }

  // The first epoch that is not over.
  int epoch() const { return epoch_.over ? epoch_.number + 1 : std::max(epoch_.number, 0); }

  // Nothing is left to do in this round: it diverged, or lbfgs stopped.
  bool ended(int round) const { return ended_ && round == round_; }

 private:
  struct Epoch {
    int number = -1;
    int step = 0;
    bool over = false;
    double rows = 0, loss = 0, absolute = 0, correct = 0, squared_norm = 0;
    int evaluations = 0;
    std::vector<std::vector<double>> activation;  // [layers] sums over rows of each unit's output, where the evaluator has them
    CostParts exact;
  };

  void begin_epoch(const Rows& rows, int number);
  void begin_round(const Span& span);
  bool step(Team& team, const Gather<T>& gather, const Span& span, const StopFlag& stop);
  SpanResult first_order_steps(Team& team, const Gather<T>& gather, const Span& span, const StopFlag& stop);
  SpanResult lbfgs_iteration(Team& team, const Gather<T>& gather, const StopFlag& stop);
  void moving_mean(std::size_t penalty, std::vector<double>& mean);
  double weight_decay_cost(Team& team, bool exact);
  SpanResult report(Team& team, bool done, bool cancelled);
  T decay_of(const Plan::Tile& tile) const;
  bool all_finite(Team& team) const;

  Network network_;
  Objective objective_;
  TrainingOptions options_;
  int rows_, batch_, steps_in_epoch_;
  const VectorKernels<T>& kernels_;
  Buffer<T> theta_, gradient_;  // the gradient of the split form alone
  Evaluator<T> evaluator_;
  std::unique_ptr<Optimizer<T>> optimizer_;
  std::unique_ptr<Lbfgs<T>> lbfgs_;
  Epoch epoch_;
  double decay_cost_ = 0;
  std::chrono::steady_clock::time_point decay_due_{};  // when decay_cost_ is too old
  bool ended_ = false;
  int round_ = 0;
  std::optional<Noise> noise_;        // of this epoch; with lbfgs of the whole fit
  std::vector<std::uint32_t> order_;  // the rows that shuffle_ has not placed yet are in some other order
  std::optional<Shuffle> shuffle_;
  std::vector<std::vector<double>> moving_;  // [penalties] exponential means, not yet corrected
  long moving_steps_ = 0;
  std::vector<double> tile_norms_;
  std::vector<double> lbfgs_means_;  // of the last accepted point
};

}  // namespace layerwise

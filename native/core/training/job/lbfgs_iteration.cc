// One iteration of L-BFGS over all rows.
#include "training/job/job.h"

namespace layerwise {

template <typename T>
SpanResult TrainingJob<T>::lbfgs_iteration(Team& team, RowSource<T>& rows, const StopFlag& stop) {
  std::vector<CostParts> seen;
  std::vector<std::vector<double>> means;
  const auto evaluate = [&](const T* theta, T* gradient) {
    typename Evaluator<T>::Request request;
    request.theta = theta;
    request.rows = &rows;
    request.count = rows_;
    request.repeated = true;
    request.gradient = gradient;
    request.noise = epoch_rows_.noise();
    const typename Evaluator<T>::Sink add_decay = [&](int, const Plan::Tile& tile, T* made, std::size_t offset, std::size_t n) {
      if (decay_of(tile) != 0) kernels_.add_decay(made, theta + offset, n, decay_of(tile));
    };
    request.sink = &add_decay;
    CostParts parts;
    if (!evaluator_.run(team, request, stop, parts)) return 0.0;
    seen.push_back(parts);
    means.push_back(evaluator_.mean_activation());
    return parts.total();
  };
  const auto iteration = lbfgs_->iterate(team, theta_.data(), evaluate, [&] { return stop.raised(); });

  using Stop = typename Lbfgs<T>::Stop;
  SpanResult result;
  result.cancelled = iteration.stop == Stop::cancelled;
  result.diverged = iteration.stop == Stop::diverged;
  if (result.cancelled || result.diverged) return result;
  // The accepted point is one of those just evaluated, or, where the search found nothing lower, the one before.
  for (std::size_t i = 0; i < seen.size(); i++) {
    if (seen[i].total() == iteration.cost) {
      accepted_ = seen[i];
      accepted_means_ = means[i];
    }
  }
  epoch_.step = steps_in_epoch_;
  result.steps = 1;
  result.cost = accepted_;
  result.mean_activation = accepted_means_;
  result.gradient_norm = iteration.gradient_norm;
  result.evaluations = iteration.evaluations;
  result.stopped = iteration.stop == Stop::tolerance ? "tolerance" : (iteration.stop == Stop::precision ? "precision" : nullptr);
  result.epoch_done = true;
  return result;
}

template SpanResult TrainingJob<float>::lbfgs_iteration(Team&, RowSource<float>&, const StopFlag&);
template SpanResult TrainingJob<double>::lbfgs_iteration(Team&, RowSource<double>&, const StopFlag&);

}  // namespace layerwise

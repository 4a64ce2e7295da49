#include "training/training.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>

namespace layerwise {

template <typename T>
TrainingJob<T>::TrainingJob(const Network& network, const Objective& objective, const TrainingOptions& options, const T* theta,
                            int rows, const Network* through)
    : network_(network),
      objective_(objective),
      options_(options),
      rows_(rows),
      batch_(options.batch_size == 0 ? rows : std::min(options.batch_size, rows)),
      steps_in_epoch_(1 + (rows - 1) / batch_),
      kernels_(vector_kernels<T>()),
      theta_(network.parameters),
      gradient_(options.fused ? 0 : network.parameters),
      evaluator_(network, objective, batch_, {}, through, options.corruption.has_value()),
      moving_(objective.penalties.size()) {
  std::copy(theta, theta + network.parameters, theta_.data());
  if (options.optimizer.kind == OptimizerOptions::Kind::lbfgs) {
    // What it minimises must not change under it.
    if (options.corruption) noise_.emplace(*options.corruption, options.seed, options.fit, 0);
    lbfgs_ = std::make_unique<Lbfgs<T>>(network.parameters, options.optimizer.history, options.optimizer.tolerance);
  } else {
    optimizer_ = std::make_unique<Optimizer<T>>(options.optimizer, network.parameters);
  }
}

template <typename T>
T TrainingJob<T>::decay_of(const Plan::Tile& tile) const {
  return tile.rows == 0 ? T(0) : static_cast<T>(objective_.weight_decay[tile.layer]);
}

template <typename T>
void TrainingJob<T>::begin_epoch(const Rows& rows, int number) {
  epoch_ = {};
  epoch_.number = number;
  if (options_.corruption) noise_.emplace(*options_.corruption, options_.seed, options_.fit, static_cast<std::uint32_t>(number));
  if (!options_.shuffle || batch_ == rows_) return;
  order_.resize(rows_);
  const std::uint64_t index = static_cast<std::uint64_t>(options_.fit) << 32 | static_cast<std::uint32_t>(number);
  if (rows.order != nullptr) {
    std::copy(rows.order, rows.order + rows_, order_.begin());
  } else {
    std::iota(order_.begin(), order_.end(), 0u);
  }
  shuffle_.emplace(order_.data(), rows_, options_.seed, static_cast<std::uint32_t>(Stream::shuffle), index);
}

// The objective changes: lbfgs must forget what it knows of the old one.
template <typename T>
void TrainingJob<T>::begin_round(const Span& span) {
  round_ = span.round;
  evaluator_.set_constraint(span.constraint_weight, span.multipliers);
  for (Penalty& penalty : objective_.penalties) {
    if (penalty.kind != PenaltyKind::constraint) continue;
    penalty.weight = span.constraint_weight;
    penalty.multipliers = span.multipliers;
  }
  if (lbfgs_) lbfgs_->restart();
}

// Exponential mean of the batches' means, its start corrected as Adam corrects its moments.
template <typename T>
void TrainingJob<T>::moving_mean(std::size_t penalty, std::vector<double>& mean) {
  if (objective_.penalties[penalty].average != Average::moving) return;
  auto& moving = moving_[penalty];
  moving.resize(mean.size());
  const double correction = 1 - std::pow(kMovingDecay, static_cast<double>(moving_steps_));
  for (std::size_t j = 0; j < mean.size(); j++) {
    moving[j] = kMovingDecay * moving[j] + (1 - kMovingDecay) * mean[j];
    mean[j] = moving[j] / correction;
  }
}

template <typename T>
bool TrainingJob<T>::step(Team& team, const Gather<T>& gather, const Span& span, const StopFlag& stop) {
  const int first = epoch_.step * batch_;
  const bool whole = batch_ == rows_;
  const bool last = epoch_.step + 1 == steps_in_epoch_;
  typename Evaluator<T>::Request request;
  request.theta = theta_.data();
  request.rows = &gather;
  request.order = order_.empty() ? nullptr : order_.data();
  request.first = first;
  request.count = std::min(batch_, rows_ - first);
  request.whole_cost = whole;
  request.noise = noise_ ? &*noise_ : nullptr;
  request.repeated = whole && !noise_;

  const Plan& plan = evaluator_.plan(request.count);
  tile_norms_.assign(plan.tiles.size(), 0);
  const auto update = [&](int i, const Plan::Tile& tile, const T* gradient, std::size_t offset, std::size_t n) {
    tile_norms_[i] = optimizer_->update(theta_.data(), gradient, offset, n, decay_of(tile), last);
  };
  const typename Evaluator<T>::Sink sink = update;
  const std::uint32_t next = first + request.count;
  const std::function<void()> shuffle_next = [&] { shuffle_->place(next + batch_); };
  if (shuffle_) {
    shuffle_->place(next);
    if (!last) request.meanwhile = &shuffle_next;
  }
  const typename Evaluator<T>::MeanFilter filter = [&](std::size_t p, std::vector<double>& mean) { moving_mean(p, mean); };
  request.filter = &filter;
  if (options_.fused) {
    request.sink = &sink;
  } else {
    request.gradient = gradient_.data();
  }

  optimizer_->begin(span.learning_rate);
  moving_steps_++;
  CostParts parts;
  if (!evaluator_.run(team, request, stop, parts)) return false;
  if (!options_.fused) {
    team.each_dealt(static_cast<int>(plan.tiles.size()), [&](int i) {
      std::size_t n = 0;
      const std::size_t offset = Evaluator<T>::tile_offset(network_, plan.tiles[i], &n);
      update(i, plan.tiles[i], gradient_.data() + offset, offset, n);
    });
  }
  project(team, options_.weight_constraint, network_, theta_.data());

  epoch_.step++;
  epoch_.evaluations++;
  epoch_.rows += request.count;
  epoch_.loss += parts.loss * request.count;
  epoch_.absolute += parts.sparsity * request.count;
  epoch_.correct += parts.correct;
  epoch_.activation.resize(network_.layers.size());
  for (int l = 0; l < network_.depth(); l++) {
    const auto& mean = evaluator_.means(l);
    auto& sums = epoch_.activation[l];
    sums.resize(mean.size());
    for (std::size_t j = 0; j < mean.size(); j++) sums[j] += mean[j] * request.count;
  }
  epoch_.exact = parts;
  if (last) {
    epoch_.squared_norm = 0;
    for (double norm : tile_norms_) epoch_.squared_norm += norm;
  }
  return true;
}

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

template <typename T>
SpanResult TrainingJob<T>::report(Team& team, bool done, bool cancelled) {
  SpanResult result;
  result.steps = epoch_.step;
  result.steps_in_epoch = steps_in_epoch_;
  result.evaluations = epoch_.evaluations;
  result.epoch_done = done;
  result.cancelled = cancelled;
  if (epoch_.rows == 0) return result;

  std::vector<std::vector<double>> means = epoch_.activation;
  for (auto& layer : means) {
    for (double& value : layer) value /= epoch_.rows;
  }
  if (batch_ == rows_) {
    result.cost = epoch_.exact;
  } else {
    result.cost.loss = epoch_.loss / epoch_.rows;
    result.cost.sparsity = epoch_.absolute / epoch_.rows;
    result.cost.correct = epoch_.correct;
    for (const Penalty& penalty : objective_.penalties) {
      if (!penalty.on_mean()) continue;
      const DenseLayer& layer = network_.layers[penalty.layer];
      result.cost.sparsity += penalty_value(penalty, layer.activation, means[penalty.layer].data(), layer.outputs);
    }
    result.cost.weight_decay = weight_decay_cost(team, done || cancelled);
  }
  if (evaluator_.monitored_layer() >= 0) result.mean_activation = means[evaluator_.monitored_layer()];
  result.gradient_norm = std::sqrt(epoch_.squared_norm);
  // Parameters are about to be handed over: the cost, which was that of earlier ones, does not vouch for them.
  const bool handed_over = done || cancelled;
  result.diverged =
      !std::isfinite(result.cost.total()) || (handed_over && !(std::isfinite(result.gradient_norm) && all_finite(team)));
  return result;
}

template <typename T>
SpanResult TrainingJob<T>::lbfgs_iteration(Team& team, const Gather<T>& gather, const StopFlag& stop) {
  std::vector<CostParts> seen;
  std::vector<std::vector<double>> means;
  const auto evaluate = [&](const T* theta, T* gradient) {
    typename Evaluator<T>::Request request;
    request.theta = theta;
    request.rows = &gather;
    request.count = rows_;
    request.repeated = true;
    request.gradient = gradient;
    request.noise = noise_ ? &*noise_ : nullptr;
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
      epoch_.exact = seen[i];
      lbfgs_means_ = means[i];
    }
  }
  result.steps = 1;
  result.cost = epoch_.exact;
  result.mean_activation = lbfgs_means_;
  result.gradient_norm = iteration.gradient_norm;
  result.evaluations = iteration.evaluations;
  result.stopped = iteration.stop == Stop::tolerance ? "tolerance" : (iteration.stop == Stop::precision ? "precision" : nullptr);
  result.epoch_done = true;
  return result;
}

template <typename T>
SpanResult TrainingJob<T>::first_order_steps(Team& team, const Gather<T>& gather, const Span& span, const StopFlag& stop) {
  evaluator_.choose_products(gather, noise_ ? &*noise_ : nullptr);
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double, std::milli>(span.budget_ms);
  while (epoch_.step < steps_in_epoch_) {
    if (stop.raised() || !step(team, gather, span, stop)) {
      return report(team, false, true);
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  return report(team, epoch_.step == steps_in_epoch_, false);
}

template <typename T>
SpanResult TrainingJob<T>::run(Team& team, const Rows& rows, const Span& span, const StopFlag& stop) {
  const Gather<T> gather(rows);
  if (span.round != round_) begin_round(span);
  SpanResult result;
  if (lbfgs_) {
    result = lbfgs_iteration(team, gather, stop);
  } else {
    if (epoch_.number != span.epoch) begin_epoch(rows, span.epoch);
    result = first_order_steps(team, gather, span, stop);
  }
  epoch_.number = span.epoch;
  epoch_.over = result.epoch_done;
  ended_ = result.diverged || result.stopped != nullptr;
  return result;
}

template class TrainingJob<float>;
template class TrainingJob<double>;

}  // namespace layerwise

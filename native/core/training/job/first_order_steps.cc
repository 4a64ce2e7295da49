// The steps of gradient descent, momentum and Adam.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <functional>
#include <numeric>

#include "training/job/job.h"

namespace layerwise {

namespace {

// body(i, tile, offset, n) for every tile of the plan, whose n parameters begin at `offset`.
template <typename Body>
void each_tile(Team& team, const Plan& plan, const Network& network, const Body& body) {
  team.each_dealt(static_cast<int>(plan.tiles.size()), [&](int i) {
    const Plan::Range range = Plan::range_of(network, plan.tiles[i]);
    body(i, plan.tiles[i], range.offset, range.count);
  });
}

}  // namespace

// Adds the decay to the gradient, and scales it where its norm is larger than it may be. A norm that is not finite stays: such a
// training diverges.
template <typename T>
void TrainingJob<T>::clip(Team& team, const Plan& plan) {
  each_tile(team, plan, network_, [&](int i, const Plan::Tile& tile, std::size_t offset, std::size_t n) {
    T* g = gradient_.data() + offset;
    kernels_.add_decay(g, theta_.data() + offset, n, decay_of(tile));
    tile_norms_[i] = kernels_.dot(g, g, n);
  });
  const double norm = std::sqrt(std::accumulate(tile_norms_.begin(), tile_norms_.end(), 0.0));
  if (!std::isfinite(norm) || norm <= options_.clip_norm) return;
  const T factor = static_cast<T>(options_.clip_norm / norm);
  each_tile(team, plan, network_, [&](int, const Plan::Tile&, std::size_t offset, std::size_t n) {
    kernels_.scale(factor, gradient_.data() + offset, n);
  });
}

// Where the gradient of a step in split form is whole, and theta still what it belongs to: whatever needs both stands here,
// before the update. `norm`: whether tile_norms_ are asked for.
template <typename T>
void TrainingJob<T>::update_by_whole_gradient(Team& team, const Plan& plan, bool norm) {
  const bool clips = options_.clip_norm > 0;
  if (clips) clip(team, plan);
  each_tile(team, plan, network_, [&](int i, const Plan::Tile& tile, std::size_t offset, std::size_t n) {
    const T* g = gradient_.data() + offset;
    if (clips) {
      optimizer_->update(theta_.data(), g, offset, n, 0, false);
    } else {
      tile_norms_[i] = optimizer_->update(theta_.data(), g, offset, n, decay_of(tile), norm);
    }
  });
}

template <typename T>
bool TrainingJob<T>::step(Team& team, RowSource<T>& rows, const Span& span, const StopFlag& stop) {
  const int first = epoch_.step * batch_;
  const bool last = epoch_.step + 1 == steps_in_epoch_;
  typename Evaluator<T>::Request request;
  request.theta = theta_.data();
  request.rows = &rows;
  request.order = epoch_rows_.order(rows, epoch_.step);
  request.first = epoch_rows_.shuffled() ? 0 : first;
  request.count = std::min(batch_, rows_ - first);
  request.whole_cost = whole_batches();
  request.noise = epoch_rows_.noise();
  request.repeated = whole_batches() && request.noise == nullptr;

  const Plan& plan = evaluator_.plan(request.count);
  tile_norms_.assign(plan.tiles.size(), 0);
  const typename Evaluator<T>::Sink sink = [&](int i, const Plan::Tile& tile, const T* gradient, std::size_t offset,
                                               std::size_t n) {
    tile_norms_[i] = optimizer_->update(theta_.data(), gradient, offset, n, decay_of(tile), last);
  };
  const std::function<void()> shuffle_next = [&] { epoch_rows_.prepare(rows, epoch_.step + 1); };
  if (epoch_rows_.shuffled() && !last) request.meanwhile = &shuffle_next;
  const typename Evaluator<T>::MeanFilter filter = [&](std::size_t p, std::vector<double>& mean) {
    moving_means_.filter(p, mean);
  };
  request.filter = &filter;
  if (split_) {
    request.gradient = gradient_.data();
  } else {
    request.sink = &sink;
  }

  optimizer_->begin(span.learning_rate);
  CostParts parts;
  if (!evaluator_.run(team, request, stop, parts)) return false;
  if (split_) update_by_whole_gradient(team, plan, last);
  project(team, options_.weight_constraint, network_, theta_.data());

  optimizer_->keep();
  const double weight = evaluator_.weight();
  // Rows of weight 0 alone have no mean.
  if (weight > 0) moving_means_.keep();
  epoch_.add(parts, request.count, weight);
  for (int l = 0; l < network_.depth(); l++) epoch_.add_means(l, evaluator_.means(l), weight);
  if (last) {
    epoch_.squared_norm = 0;
    for (double norm : tile_norms_) epoch_.squared_norm += norm;
  }
  return true;
}

template <typename T>
SpanResult TrainingJob<T>::first_order_steps(Team& team, RowSource<T>& rows, const Span& span, const StopFlag& stop) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::duration<double, std::milli>(span.budget_ms);
  while (epoch_.step < steps_in_epoch_) {
    if (stop.raised() || !step(team, rows, span, stop)) {
      return report(team, false, true);
    }
    if (std::chrono::steady_clock::now() >= deadline) break;
  }
  return report(team, epoch_.step == steps_in_epoch_, false);
}

template bool TrainingJob<float>::step(Team&, RowSource<float>&, const Span&, const StopFlag&);
template SpanResult TrainingJob<float>::first_order_steps(Team&, RowSource<float>&, const Span&, const StopFlag&);
template bool TrainingJob<double>::step(Team&, RowSource<double>&, const Span&, const StopFlag&);
template SpanResult TrainingJob<double>::first_order_steps(Team&, RowSource<double>&, const Span&, const StopFlag&);

}  // namespace layerwise

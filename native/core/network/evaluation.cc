#include "network/evaluation.h"

#include <algorithm>

#include "base/phase_clock.h"

namespace layerwise {

template <typename T>
Evaluator<T>::Evaluator(const Network& network, const Objective& objective, int most_rows, EvaluationMemory memory,
                        const Network* through, bool noisy)
    : network_(network),
      objective_(objective),
      kernels_(vector_kernels<T>()),
      most_rows_(most_rows),
      chunk_bytes_(memory.chunk),
      kept_bytes_(memory.kept),
      products_(layerwise::choose_products<T>(network.layers)) {
  const int depth = network_.depth();
  penalty_of_.assign(depth, nullptr);
  for (const Penalty& penalty : objective_.penalties) {
    penalty_of_[penalty.layer] = &penalty;
    if (penalty.on_mean()) deepest_ = std::max(deepest_, penalty.layer);
  }
  if (depth > 1) monitored_ = objective_.penalties.empty() ? 0 : objective_.penalties.front().layer;
  for (auto p = objective_.penalties.rbegin(); p != objective_.penalties.rend(); ++p) {
    if (p->on_mean()) monitored_ = p->layer;
  }

  // Rows on their way through take of the same memory.
  if (through != nullptr) {
    const std::size_t own = Plan::row_elements(network_);
    chunk_bytes_ = chunk_bytes_ / (own + Plan::row_elements(*through)) * own;
  }
  const Plan& whole = plan(most_rows);
  std::size_t kept = 0;
  for (int l = 0; l <= deepest_; l++) {
    const DenseLayer& layer = network_.layers[l];
    kept += most_rows * (stride_for(layer.outputs) + Plan::slope_elements(layer)) * sizeof(T);
  }
  kept_ = whole.chunks.count > 1 && kept <= kept_bytes_;
  if (kept_) kept_bytes_ -= kept;

  const std::size_t rows = most_rows_in_chunk();
  const std::size_t blocks = Plan::most_blocks(network_, static_cast<int>(rows), sizeof(T));
  x_ = Buffer<T>(rows * network_.inputs());
  clean_ = Buffer<T>(noisy ? rows * network_.inputs() : 0);
  labels_.resize(objective_.loss == Loss::log_loss ? rows : 0);
  predicted_.resize(labels_.size());
  std::size_t zeros = network_.zeros();
  if (through != nullptr) {
    zeros = std::max(zeros, through->zeros());
    through_.emplace_back(rows * stride_for(through->inputs()));
    through_products_ = layerwise::choose_products<T>(through->layers);
    for (int l = 0; l + 1 < through->depth(); l++) through_.emplace_back(rows * stride_for(through->layers[l].outputs));
  }
  zeros_ = Buffer<T>(zeros);
  for (int l = 0; l < depth; l++) {
    const std::size_t outputs = network_.layers[l].outputs, stride = stride_for(network_.layers[l].outputs);
    const std::size_t rows_of_layer = kept_ && l <= deepest_ ? static_cast<std::size_t>(most_rows) : rows;
    activations_.emplace_back(rows_of_layer * stride);
    slopes_.emplace_back(l + 1 < depth ? rows_of_layer * Plan::slope_elements(network_.layers[l]) : 0);
    deltas_.emplace_back(l + 1 < depth ? rows * stride : 0);
    const bool on_mean = penalty_of_[l] != nullptr && penalty_of_[l]->on_mean();
    activation_sums_.emplace_back(on_mean || l == monitored_ ? blocks * outputs : 0);
    delta_sums_.emplace_back(blocks * outputs);
    pulls_.emplace_back(on_mean ? outputs : 0);
    means_.emplace_back(activation_sums_.back().size() > 0 ? outputs : 0);
    partial_gradients_.emplace_back(whole.by_blocks[l] ? blocks * network_.layers[l].weight_count() : 0);
  }
  block_loss_.resize(blocks);
  block_absolute_.resize(blocks);
  block_correct_.resize(blocks);
}

template <typename T>
void Evaluator<T>::set_constraint(double weight, const std::vector<double>& multipliers) {
  for (Penalty& penalty : objective_.penalties) {
    if (penalty.kind != PenaltyKind::constraint) continue;
    penalty.weight = weight;
    penalty.multipliers = multipliers;
  }
}

template <typename T>
const Plan& Evaluator<T>::plan(int rows) {
  for (const Plan& known : plans_) {
    if (known.chunks.total == rows) return known;
  }
  if (plans_.size() >= 4) plans_.erase(plans_.begin() + 1);
  plans_.push_back(Plan::evaluation(network_, rows, sizeof(T), chunk_bytes_, grouped_));
  return plans_.back();
}

template <typename T>
int Evaluator<T>::most_rows_in_chunk() const {
  return std::min(most_rows_, Plan::most_chunk_rows(network_, sizeof(T), chunk_bytes_));
}

template <typename T>
typename Evaluator<T>::Chunk Evaluator<T>::open_chunk(const Request& request, const Plan& plan, int index, bool again) {
  Chunk chunk{};
  chunk.first = plan.chunks.begin(index);
  chunk.rows = plan.chunks.length(index);
  chunk.blocks = plan.blocks(chunk.rows);
  chunk.gathered = again && plan.chunks.count == 1;
  const MatrixView<const T> x{x_.data(), chunk.rows, network_.inputs()};
  if (request.order == nullptr && request.rows->rows().through == nullptr) {
    chunk.target = request.rows->in_place(request.first + chunk.first, chunk.rows);
  }
  chunk.in_place = chunk.target.data != nullptr;
  if (!chunk.in_place) chunk.target = {request.noise != nullptr ? clean_.data() : x_.data(), chunk.rows, network_.inputs()};
  chunk.x = request.noise != nullptr ? x : chunk.target;
  if (grouped_) {
    const bool all_kept = groups_.size() >= static_cast<std::size_t>(plan.chunks.count);
    chunk.groups = &groups_[all_kept ? index : 0];
    chunk.grouped = again && all_kept;
    if (!chunk.grouped) chunk.groups->open(chunk.blocks);
  }
  return chunk;
}

template <typename T>
MatrixView<T> Evaluator<T>::activations(int layer, const Chunk& chunk) const {
  const int outputs = network_.layers[layer].outputs;
  const std::size_t from = kept_ && layer <= deepest_ ? static_cast<std::size_t>(chunk.first) * stride_for(outputs) : 0;
  return matrix_in(activations_[layer].data() + from, chunk.rows, outputs);
}

// No view where none are stored.
template <typename T>
MatrixView<T> Evaluator<T>::slopes(int layer, const Chunk& chunk) const {
  if (slopes_[layer].size() == 0) return {};
  MatrixView<T> place = activations(layer, chunk);
  place.data = slopes_[layer].data() + (place.data - activations_[layer].data());
  return place;
}

template <typename T>
MatrixView<T> Evaluator<T>::deltas(int layer, const Chunk& chunk) const {
  // The output layer's delta takes the place of its activations.
  if (layer + 1 == network_.depth()) return activations(layer, chunk);
  return matrix_in(deltas_[layer].data(), chunk.rows, network_.layers[layer].outputs);
}

template <typename T>
void Evaluator<T>::add_sums(const Chunk& chunk, int from, int to) {
  for (int l = from; l <= to; l++) {
    const std::size_t outputs = means_[l].size();
    const T* sums = activation_sums_[l].data();
    for (int b = 0; b < chunk.blocks.count; b++) {
      for (std::size_t j = 0; j < outputs; j++) means_[l][j] += sums[b * outputs + j];
    }
  }
}

// The sums become means, and the means a pull on every penalised layer.
template <typename T>
void Evaluator<T>::finish_means(const Request& request, CostParts& parts) {
  for (auto& mean : means_) {
    for (double& value : mean) value /= request.count;
  }
  for (std::size_t p = 0; p < objective_.penalties.size(); p++) {
    const Penalty& penalty = objective_.penalties[p];
    if (!penalty.on_mean()) continue;
    const DenseLayer& layer = network_.layers[penalty.layer];
    const double* mean = means_[penalty.layer].data();
    std::vector<double> filtered;
    if (request.filter != nullptr) {
      filtered = means_[penalty.layer];
      (*request.filter)(p, filtered);
      mean = filtered.data();
    }
    penalty_pull(penalty, layer.activation, mean, layer.outputs, request.count, pulls_[penalty.layer].data());
    if (request.whole_cost) parts.sparsity += penalty_value(penalty, layer.activation, mean, layer.outputs);
  }
}

template <typename T>
bool Evaluator<T>::run(Team& team, const Request& request, const StopFlag& stop, CostParts& parts) {
  parts = {};
  choose_products(*request.rows, request.noise);
  prepare_products(request);
  const Plan& plan = this->plan(request.count);
  const int last = network_.depth() - 1;
  const bool gradient = request.wants_gradient();
  T* whole_gradient = request.gradient;
  if (gradient && whole_gradient == nullptr) whole_gradient = make_room(plan, team.threads());
  if (gradient) make_scratch(team.threads());
  const bool two_passes = deepest_ >= 0 && plan.chunks.count > 1;
  if (grouped_) make_room_for_groups(plan, two_passes || request.repeated);
  for (auto& mean : means_) std::fill(mean.begin(), mean.end(), 0);
  // Before the sink may move theta: every part of the cost is that of the same parameters.
  if (request.whole_cost) parts.weight_decay = weight_decay_cost(team, request.theta);

  if (two_passes) {
    for (int c = 0; c < plan.chunks.count; c++) {
      const Chunk chunk = open_chunk(request, plan, c, rows_known_);
      team.each(chunk.blocks.count, [&](int block) {
        if (stop.raised()) return;
        gather_block(request, chunk, block);
        forward_block(request, chunk, block, 0, deepest_, true);
      });
      if (stop.raised()) return false;
      add_sums(chunk, 0, deepest_);
    }
    finish_means(request, parts);
  }

  double loss = 0, absolute = 0;
  for (int c = 0; c < plan.chunks.count; c++) {
    const Chunk chunk = open_chunk(request, plan, c, rows_known_ || two_passes);
    const bool updating = gradient && request.sink != nullptr && c + 1 == plan.chunks.count;
    const bool pull_known = deepest_ < 0 || two_passes;
    const int summed = two_passes ? deepest_ : -1;  // layers whose sums the first pass took
    const bool more = request.meanwhile != nullptr && c == 0;
    team.each(chunk.blocks.count + (more ? 1 : 0), [&](int block) {
      if (stop.raised()) return;
      if (block == chunk.blocks.count) return (*request.meanwhile)();
      gather_block(request, chunk, block);
      if (two_passes && !kept_) forward_block(request, chunk, block, 0, deepest_, false);
      forward_block(request, chunk, block, summed + 1, last - 1, true);
      output_block(request, chunk, block);
      if (!gradient) return;
      gradient_block(chunk, block, last);
      if (last == 0) return;
      if (pull_known) {
        back_block(request, chunk, block, last, 0);
        hidden_delta_block(request, chunk, block, 0);
      } else {
        back_block(request, chunk, block, last, deepest_);
      }
    });
    if (stop.raised()) return false;
    for (int b = 0; b < chunk.blocks.count; b++) {
      loss += block_loss_[b];
      absolute += block_absolute_[b];
      parts.correct += block_correct_[b];
    }
    add_sums(chunk, summed + 1, last);
    if (!two_passes && c + 1 == plan.chunks.count) finish_means(request, parts);

    if (gradient && !pull_known) {
      team.each(chunk.blocks.count, [&](int block) {
        hidden_delta_block(request, chunk, block, deepest_);
        if (deepest_ == 0) return;
        back_block(request, chunk, block, deepest_, 0);
        hidden_delta_block(request, chunk, block, 0);
      });
    }
    if (gradient) {
      team.each_dealt(static_cast<int>(plan.tiles.size()), [&](int i, int member) {
        // An update that has begun is finished: half a step would leave the parameters of no step.
        if (!updating && stop.raised()) return;
        std::size_t n = 0;
        const std::size_t offset = tile_offset(network_, plan.tiles[i], &n);
        T* made = whole_gradient != nullptr ? whole_gradient + offset : tile_gradients_[member].data();
        tile(chunk, plan, i, c > 0, made, scratches_[member].data());
        if (!updating) return;
        const PhaseTimer timer(Phase::update);
        (*request.sink)(i, plan.tiles[i], made, offset, n);
      });
    }
    if (!updating && stop.raised()) return false;
  }
  rows_known_ = request.repeated;  // all of them have been through
  parts.loss = loss / request.count;
  parts.sparsity += absolute / request.count;
  return true;
}

template class Evaluator<float>;
template class Evaluator<double>;

}  // namespace layerwise

#include "network/evaluation.h"

#include <algorithm>

#include "base/phase_clock.h"
#include "products/choose.h"

namespace layerwise {
namespace {

// Outputs of index lists are as wide as the weights are: their chunk may occupy what the parameters do.
std::size_t chunk_bytes_of(const Network& network, const EvaluationMemory& memory, bool indexed, std::size_t element) {
  if (indexed) return std::max(memory.chunk, network.parameters * element);
  if (memory.row_scratch == 0) return memory.chunk;
  const std::size_t own = Plan::row_elements(network);
  return memory.chunk / (own + memory.row_scratch) * own;
}

}  // namespace

template <typename T>
Evaluator<T>::Evaluator(const Network& network, const Objective& objective, int most_rows, EvaluationMemory memory, bool noisy,
                        bool indexed)
    : network_(network),
      objective_(objective),
      most_rows_(most_rows),
      chunk_bytes_(chunk_bytes_of(network, memory, indexed, sizeof(T))),
      kept_bytes_(memory.kept),
      products_chosen_(indexed),
      input_(indexed ? InputKind::indexed : InputKind::dense),
      products_(layerwise::choose_products<T>(network.layers)),
      means_(network_, objective_),
      size_(size_for(memory)),
      rows_(network.inputs(), size_.rows, size_.blocks, noisy, objective.loss == Loss::log_loss, indexed),
      values_(
          network_, size_, [&](int layer) { return means_.is_summed(layer); }, plan(most_rows).by_blocks),
      pass_(network_, objective_, products_, rows_, values_, means_, size_),
      tiles_(network_, products_, rows_, values_) {
  if (indexed) products_.front() = layerwise::choose_products<T>(network_.layers.front(), input_);
}

// Where two passes are needed, the first keeps its activations if they fit.
template <typename T>
typename LayerValues<T>::Size Evaluator<T>::size_for(const EvaluationMemory& memory) {
  Size size;
  size.rows = std::min(most_rows_, Plan::most_chunk_rows(network_, sizeof(T), chunk_bytes_, input_));
  size.blocks = Plan::most_blocks(network_, size.rows, sizeof(T), input_);
  std::size_t bytes = 0;
  for (int l = 0; l <= means_.deepest(); l++) {
    const DenseLayer& layer = network_.layers[l];
    bytes += most_rows_ * (stride_for(layer.outputs) + Plan::slope_elements(layer)) * sizeof(T);
  }
  if (plan(most_rows_).chunks.count > 1 && bytes <= memory.kept) {
    size.kept = means_.deepest();
    size.all_rows = most_rows_;
    kept_bytes_ -= bytes;
  }
  return size;
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
  plans_.push_back(Plan::evaluation(network_, rows, sizeof(T), chunk_bytes_, input_));
  return plans_.back();
}

template <typename T>
bool Evaluator<T>::choose_products(const RowSelection<T>& selection, const StopFlag& stop) {
  if (products_chosen_) return true;
  const DenseLayer& first = network_.layers.front();
  const bool grouped = may_be_grouped(first, size_.rows, sizeof(T)) && rows_.zeros_prevail(selection);
  // A source may have given up to read.
  if (stop.raised()) return false;
  if (grouped) {
    products_.front() = layerwise::choose_products<T>(first, InputKind::grouped);
    rows_.expect_groups(kept_bytes_);
    input_ = InputKind::grouped;
    plans_.clear();
    plan(most_rows_);
  }
  products_chosen_ = true;
  return true;
}

template <typename T>
double Evaluator<T>::weight_decay_cost(Team& team, const T* theta) {
  return layerwise::weight_decay_cost(team, network_, plan(most_rows_), objective_.weight_decay, theta);
}

template <typename T>
bool Evaluator<T>::run(Team& team, const Request& request, const StopFlag& stop, CostParts& parts) {
  parts = {};
  if (!choose_products(request, stop)) return false;
  const Plan& plan = this->plan(request.count);
  const int chunks = plan.chunks.count, last_layer = network_.depth() - 1;
  const bool two_passes = means_.deepest() >= 0 && chunks > 1;
  const Run run{request, plan, stop, request.wants_gradient(), two_passes, means_.deepest() < 0 || two_passes};

  for (const auto& products : products_) products->prepare(request.theta);
  rows_.begin(request, chunks, two_passes);
  pass_.begin({request.theta, request.count, run.gradient, request.predicted}, team.threads());
  if (run.gradient) tiles_.begin(plan, team.threads(), request.gradient);
  means_.clear();
  weight_ = 0;
  // Before the sink may move theta: every part of the cost is that of the same parameters.
  if (request.whole_cost) parts.weight_decay = weight_decay_cost(team, request.theta);

  if (two_passes && !first_pass(team, run, parts)) return false;
  double loss = 0, absolute = 0;
  for (int chunk = 0; chunk < chunks; chunk++) {
    open_chunk(run, chunk, two_passes);
    rows_phase(team, run, chunk);
    if (stop.raised()) return false;
    pass_.add_losses(loss, absolute, parts.correct);
    means_.add(values_, two_passes ? means_.deepest() + 1 : 0, last_layer);
    if (!two_passes) weight_ += rows_.weight();
    if (!two_passes && chunk + 1 == chunks) parts.sparsity = means_.finish(weight_, request.filter, request.whole_cost);
    if (!run.gradient) continue;
    if (!run.pull_known) late_deltas_phase(team);
    tiles_phase(team, run, chunk);
    const bool updated = request.sink != nullptr && chunk + 1 == chunks;
    if (!updated && stop.raised()) return false;
  }
  rows_.end();
  parts.loss = loss / request.count;
  parts.sparsity += absolute / request.count;
  return true;
}

template <typename T>
void Evaluator<T>::open_chunk(const Run& run, int chunk, bool again) {
  const int first = run.plan.chunks.begin(chunk);
  const Cut blocks = run.plan.blocks(run.plan.chunks.length(chunk));
  rows_.open(chunk, first, blocks, again);
  values_.open(first, blocks);
}

// The means of the penalised layers over all rows, and their pull. Returns false if stop was raised.
template <typename T>
bool Evaluator<T>::first_pass(Team& team, const Run& run, CostParts& parts) {
  for (int chunk = 0; chunk < run.plan.chunks.count; chunk++) {
    open_chunk(run, chunk, false);
    team.each(rows_.blocks().count, [&](int block) {
      if (run.stop.raised()) return;
      rows_.fill(block);
      pass_.forward(block, 0, means_.deepest(), true);
    });
    if (run.stop.raised()) return false;
    means_.add(values_, 0, means_.deepest());
    weight_ += rows_.weight();
  }
  parts.sparsity = means_.finish(weight_, run.request.filter, run.request.whole_cost);
  return true;
}

// From the rows to the loss, and back as far as the pull is known.
template <typename T>
void Evaluator<T>::rows_phase(Team& team, const Run& run, int chunk) {
  const int last = network_.depth() - 1, blocks = rows_.blocks().count;
  const int passed = run.two_passes ? means_.deepest() : -1;  // layers of which the first pass took the sums
  const bool forward_again = run.two_passes && size_.kept < 0;
  const bool has_more = run.request.meanwhile != nullptr && chunk == 0;
  team.each(blocks + (has_more ? 1 : 0), [&](int block) {
    if (run.stop.raised()) return;
    if (block == blocks) return (*run.request.meanwhile)();
    rows_.fill(block);
    if (forward_again) pass_.forward(block, 0, passed, false);
    pass_.forward(block, passed + 1, last - 1, true);
    pass_.output(block);
    if (!run.gradient) return;
    pass_.gradient(block, last);
    if (last == 0) return;
    pass_.back(block, last, run.pull_known ? 0 : means_.deepest());
    if (run.pull_known) pass_.hidden_delta(block, 0);
  });
}

// The deltas that waited for the means: of the deepest penalised layer and of those before it.
template <typename T>
void Evaluator<T>::late_deltas_phase(Team& team) {
  const int deepest = means_.deepest();
  team.each(rows_.blocks().count, [&](int block) {
    pass_.hidden_delta(block, deepest);
    if (deepest == 0) return;
    pass_.back(block, deepest, 0);
    pass_.hidden_delta(block, 0);
  });
}

// The gradient by tiles; that of the last chunk is whole, and goes to the sink.
template <typename T>
void Evaluator<T>::tiles_phase(Team& team, const Run& run, int chunk) {
  rows_.prepare_gradient();
  const bool updating = run.request.sink != nullptr && chunk + 1 == run.plan.chunks.count;
  team.each_dealt(static_cast<int>(run.plan.tiles.size()), [&](int i, int member) {
    // An update that has begun is finished: half a step would leave the parameters of no step.
    if (!updating && run.stop.raised()) return;
    T* gradient = tiles_.gradient(i, member, chunk > 0);
    if (!updating) return;
    const PhaseTimer timer(Phase::update);
    const Plan::Tile& tile = run.plan.tiles[i];
    const Plan::Range range = Plan::range_of(network_, tile);
    (*run.request.sink)(i, tile, gradient, range.offset, range.count);
  });
}

template class Evaluator<float>;
template class Evaluator<double>;

}  // namespace layerwise

// The work of an Evaluator on one tile of the parameters.
#include <algorithm>

#include "base/phase_clock.h"
#include "network/evaluation.h"

namespace layerwise {

template <typename T>
std::size_t Evaluator<T>::tile_offset(const Network& network, const Plan::Tile& tile, std::size_t* n) {
  const DenseLayer& layer = network.layers[tile.layer];
  if (tile.rows == 0) {
    *n = layer.outputs;
    return layer.biases_at;
  }
  *n = static_cast<std::size_t>(tile.rows) * layer.inputs;
  return layer.weights_at + static_cast<std::size_t>(tile.row) * layer.inputs;
}

// Where a run makes its gradient whose caller gave no place: null, when each thread has room for one tile, which is as large in
// all of an evaluator's plans. Serially.
template <typename T>
T* Evaluator<T>::make_room(const Plan& plan, int threads) {
  if (plan.chunks.count > 1) {
    if (gradient_.size() == 0) gradient_ = Buffer<T>(network_.parameters);
    return gradient_.data();
  }
  std::size_t most = 0;
  for (const Plan::Tile& tile : plan.tiles) {
    std::size_t n = 0;
    tile_offset(network_, tile, &n);
    most = std::max(most, n);
  }
  const std::size_t members = std::min(static_cast<std::size_t>(threads), plan.tiles.size());
  while (tile_gradients_.size() < members) tile_gradients_.emplace_back(most);
  return nullptr;
}

// What a product wants of each thread while it makes a gradient. Serially.
template <typename T>
void Evaluator<T>::make_scratch(int threads) {
  std::size_t most = 0;
  for (const auto& products : products_) most = std::max(most, products->scratch_elements());
  while (static_cast<int>(scratches_.size()) < threads) scratches_.emplace_back(most);
}

template <typename T>
void Evaluator<T>::bias_tile(const Chunk& chunk, int layer, T* gradient, bool accumulate) const {
  const int outputs = network_.layers[layer].outputs;
  const T* sums = delta_sums_[layer].data();
  for (int j = 0; j < outputs; j++) {
    double sum = accumulate ? gradient[j] : 0;
    for (int b = 0; b < chunk.blocks.count; b++) sum += sums[static_cast<std::size_t>(b) * outputs + j];
    gradient[j] = static_cast<T>(sum);
  }
}

// The gradient of one tile over the rows of a chunk, added to that of the chunks before. Where layers are tied to the tile's,
// theirs is added.
template <typename T>
void Evaluator<T>::tile(const Chunk& chunk, const Plan& plan, int index, bool accumulate, T* gradient, T* scratch) {
  const PhaseTimer timer(Phase::gradient_product);
  const Plan::Tile& tile = plan.tiles[index];
  const DenseLayer& layer = network_.layers[tile.layer];
  if (tile.rows == 0) return bias_tile(chunk, tile.layer, gradient, accumulate);
  if (plan.by_blocks[tile.layer] && chunk.blocks.count > 1) {
    const std::size_t n = layer.weight_count();
    const T* partial = partial_gradients_[tile.layer].data();
    if (!accumulate) std::fill(gradient, gradient + n, T(0));
    for (int b = 0; b < chunk.blocks.count; b++) kernels_.axpy(T(1), partial + b * n, gradient, n);
    return;
  }
  for (int l = tile.layer; l < network_.depth(); l++) {
    const bool own = l == tile.layer;
    if (!own && network_.layers[l].tied_to != tile.layer) continue;
    products_[l]->gradient(deltas(l, chunk), input(l, chunk), tile.row, !own || accumulate, {gradient, tile.rows, layer.inputs},
                           scratch);
  }
}

template <typename T>
double Evaluator<T>::weight_decay_cost(Team& team, const T* theta) {
  const Plan& cut = plan(most_rows_);
  std::vector<double> squares(cut.tiles.size());
  team.each(static_cast<int>(cut.tiles.size()), [&](int i) {
    const Plan::Tile& tile = cut.tiles[i];
    if (tile.rows == 0 || objective_.weight_decay[tile.layer] == 0) return;
    std::size_t n = 0;
    const T* w = theta + tile_offset(network_, tile, &n);
    squares[i] = objective_.weight_decay[tile.layer] * kernels_.dot(w, w, n);
  });
  double sum = 0;
  for (double square : squares) sum += square;
  return sum / 2;
}

template std::size_t Evaluator<float>::tile_offset(const Network&, const Plan::Tile&, std::size_t*);
template float* Evaluator<float>::make_room(const Plan&, int);
template void Evaluator<float>::make_scratch(int);
template void Evaluator<float>::tile(const Chunk&, const Plan&, int, bool, float*, float*);
template double Evaluator<float>::weight_decay_cost(Team&, const float*);
template std::size_t Evaluator<double>::tile_offset(const Network&, const Plan::Tile&, std::size_t*);
template double* Evaluator<double>::make_room(const Plan&, int);
template void Evaluator<double>::make_scratch(int);
template void Evaluator<double>::tile(const Chunk&, const Plan&, int, bool, double*, double*);
template double Evaluator<double>::weight_decay_cost(Team&, const double*);

}  // namespace layerwise

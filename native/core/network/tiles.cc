#include "network/tiles.h"

#include <algorithm>

#include "base/phase_clock.h"

namespace layerwise {

template <typename T>
Tiles<T>::Tiles(const Network& network, const std::vector<std::unique_ptr<Products<T>>>& products, const RowChunk<T>& rows,
                const LayerValues<T>& values)
    : network_(network), products_(products), kernels_(vector_kernels<T>()), rows_(rows), values_(values) {}

template <typename T>
void Tiles<T>::begin(const Plan& plan, int threads, T* whole) {
  plan_ = &plan;
  whole_ = whole;
  std::size_t scratch = 0;
  for (const auto& products : products_) scratch = std::max(scratch, products->scratch_elements());
  while (static_cast<int>(scratches_.size()) < threads) scratches_.emplace_back(scratch);
  if (whole != nullptr) return;
  if (plan.chunks.count > 1) {
    if (own_whole_.size() == 0) own_whole_ = Buffer<T>(network_.parameters);
    whole_ = own_whole_.data();
    return;
  }
  std::size_t longest = 0;
  for (const Plan::Tile& tile : plan.tiles) longest = std::max(longest, Plan::range_of(network_, tile).count);
  const std::size_t members = std::min(static_cast<std::size_t>(threads), plan.tiles.size());
  while (places_.size() < members) places_.emplace_back(longest);
}

template <typename T>
T* Tiles<T>::gradient(int index, int member, bool add) {
  const PhaseTimer timer(Phase::gradient_product);
  const Plan::Tile& tile = plan_->tiles[index];
  T* out = whole_ != nullptr ? whole_ + Plan::range_of(network_, tile).offset : places_[member].data();
  if (tile.rows == 0) {
    bias_gradient(tile.layer, add, out);
  } else if (plan_->by_blocks[tile.layer] && values_.blocks().count > 1) {
    sum_of_blocks(tile.layer, add, out);
  } else {
    weight_gradient(tile, add, out, scratches_[member].data());
  }
  return out;
}

template <typename T>
void Tiles<T>::bias_gradient(int layer, bool add, T* out) const {
  const int outputs = network_.layers[layer].outputs;
  const T* sums = values_.delta_sums(layer, 0);
  for (int j = 0; j < outputs; j++) {
    double sum = add ? out[j] : 0;
    for (int b = 0; b < values_.blocks().count; b++) sum += sums[static_cast<std::size_t>(b) * outputs + j];
    out[j] = static_cast<T>(sum);
  }
}

template <typename T>
void Tiles<T>::sum_of_blocks(int layer, bool add, T* out) const {
  const std::size_t n = network_.layers[layer].weight_count();
  if (!add) std::fill(out, out + n, T(0));
  for (int b = 0; b < values_.blocks().count; b++) kernels_.axpy(T(1), values_.partial_gradient(layer, b), out, n);
}

template <typename T>
LayerInput<T> Tiles<T>::input(int layer) const {
  if (layer == 0) return rows_.input();
  return MatrixView<const T>(values_.activations(layer - 1));
}

// Where layers are tied to the tile's, theirs is added.
template <typename T>
void Tiles<T>::weight_gradient(const Plan::Tile& tile, bool add, T* out, T* scratch) const {
  for (int l = tile.layer; l < network_.depth(); l++) {
    const bool own = l == tile.layer;
    if (!own && network_.layers[l].tied_to != tile.layer) continue;
    products_[l]->gradient(values_.deltas(l), input(l), tile.row, !own || add,
                           {out, tile.rows, network_.layers[tile.layer].inputs}, scratch);
  }
}

template <typename T>
double weight_decay_cost(Team& team, const Network& network, const Plan& plan, const std::vector<double>& weight_decay,
                         const T* theta) {
  std::vector<double> squares(plan.tiles.size());
  team.each(static_cast<int>(plan.tiles.size()), [&](int i) {
    const Plan::Tile& tile = plan.tiles[i];
    if (tile.rows == 0 || weight_decay[tile.layer] == 0) return;
    const Plan::Range range = Plan::range_of(network, tile);
    const T* w = theta + range.offset;
    squares[i] = weight_decay[tile.layer] * vector_kernels<T>().dot(w, w, range.count);
  });
  double sum = 0;
  for (double square : squares) sum += square;
  return sum / 2;
}

template class Tiles<float>;
template class Tiles<double>;
template double weight_decay_cost(Team&, const Network&, const Plan&, const std::vector<double>&, const float*);
template double weight_decay_cost(Team&, const Network&, const Plan&, const std::vector<double>&, const double*);

}  // namespace layerwise

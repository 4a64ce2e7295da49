#include "network/layer_values.h"

#include "network/plan.h"

namespace layerwise {

template <typename T>
LayerValues<T>::LayerValues(const Network& network, const Size& size, const std::function<bool(int layer)>& summed,
                            const std::vector<bool>& by_blocks)
    : network_(network), kept_(size.kept) {
  const std::size_t rows = size.rows, blocks = size.blocks, all_rows = size.all_rows;
  for (int l = 0; l < network.depth(); l++) {
    const DenseLayer& layer = network.layers[l];
    const std::size_t stride = stride_for(layer.outputs);
    const std::size_t rows_of_layer = l <= kept_ ? all_rows : rows;
    activations_.emplace_back(rows_of_layer * stride);
    slopes_.emplace_back(l + 1 < network.depth() ? rows_of_layer * Plan::slope_elements(layer) : 0);
    deltas_.emplace_back(l + 1 < network.depth() ? rows * stride : 0);
    activation_sums_.emplace_back(summed(l) ? blocks * layer.outputs : 0);
    delta_sums_.emplace_back(blocks * layer.outputs);
    partial_gradients_.emplace_back(by_blocks[l] ? blocks * layer.weight_count() : 0);
  }
}

template <typename T>
void LayerValues<T>::open(int first, const Cut& blocks) {
  first_ = first;
  blocks_ = blocks;
}

template <typename T>
MatrixView<T> LayerValues<T>::activations(int layer) const {
  const int outputs = network_.layers[layer].outputs;
  const std::size_t from = layer <= kept_ ? static_cast<std::size_t>(first_) * stride_for(outputs) : 0;
  return matrix_in(activations_[layer].data() + from, rows(), outputs);
}

template <typename T>
MatrixView<T> LayerValues<T>::slopes(int layer) const {
  if (slopes_[layer].size() == 0) return {};
  MatrixView<T> place = activations(layer);
  place.data = slopes_[layer].data() + (place.data - activations_[layer].data());
  return place;
}

template <typename T>
MatrixView<T> LayerValues<T>::deltas(int layer) const {
  if (layer + 1 == network_.depth()) return activations(layer);
  return matrix_in(deltas_[layer].data(), rows(), network_.layers[layer].outputs);
}

template class LayerValues<float>;
template class LayerValues<double>;

}  // namespace layerwise

#include "layer_products.h"

#include <thread>

#include "blas.h"

namespace layerwise {
namespace {

// Products of a layer of so few weights are over before a BLAS has packed its operands.
constexpr std::size_t kSmallLayer = 4096;

// Rows from which groups are worth while: by a rough count, W is turned over in the time that 30 of them save.
constexpr int kFewestRows = 64;

}  // namespace

bool is_small(const DenseLayer& layer) {
  return layer.owns_weights() && !layer.transposed && layer.weight_count() <= kSmallLayer;
}

template <typename T>
LayerProducts<T>::LayerProducts(const Network& network)
    : layers_(network.layers), kernels_(vector_kernels<T>()), memory_(network.layers.size()), transposed_(network.layers.size()) {
  for (int l = 0; l < network.depth(); l++) {
    const DenseLayer& layer = layers_[l];
    if (!is_small(layer)) continue;
    const std::size_t stride = kernels_.panel_elements(layer.outputs, 1);
    memory_[l] = Buffer<T>(stride * layer.inputs);
    transposed_[l] = {memory_[l].data(), layer.inputs, layer.outputs, stride};
    pieces_.push_back({l, kWhole});
  }
}

template <typename T>
bool LayerProducts<T>::takes_groups(const Network& network, int rows) {
  const DenseLayer& first = network.layers.front();
  return rows >= kFewestRows && !is_small(first) && !first.transposed;
}

template <typename T>
void LayerProducts<T>::expect_groups() {
  const DenseLayer& first = layers_.front();
  memory_.front() = Buffer<T>(kernels_.panel_elements(first.outputs, first.inputs));
  for (int panel = 0; panel < kernels_.panel_count(first.outputs); panel++) pieces_.push_back({0, panel});
}

template <typename T>
void LayerProducts<T>::renew() {
  taken_.store(0, std::memory_order_relaxed);
  made_.store(0, std::memory_order_relaxed);
}

template <typename T>
void LayerProducts<T>::forward(int layer, const T* theta, MatrixView<const T> rows, const RowGroups<T>* groups,
                               MatrixView<T> out) {
  const DenseLayer& shape = layers_[layer];
  if (groups != nullptr) {
    transpose_weights(theta);
    kernels_.grouped_product(*groups, memory_[layer].data(), out);
  } else if (is_small(shape)) {
    transpose_weights(theta);
    kernels_.small_product(Transpose::no, rows, transposed_[layer], false, out);
  } else {
    gemm<T>(Transpose::no, shape.forward_form(), 1, rows, shape.weights(theta), 0, out);
  }
}

template <typename T>
void LayerProducts<T>::backward(int layer, const T* theta, MatrixView<const T> d, MatrixView<T> before) const {
  const DenseLayer& shape = layers_[layer];
  if (is_small(shape)) {
    kernels_.small_product(Transpose::no, d, shape.weights(theta), false, before);
  } else {
    gemm<T>(Transpose::no, shape.backward_form(), 1, d, shape.weights(theta), 0, before);
  }
}

template <typename T>
void LayerProducts<T>::gradient(int layer, MatrixView<const T> d, MatrixView<const T> rows, const RowGroups<T>* blocks, int count,
                                bool add, MatrixView<T> out) const {
  if (blocks != nullptr) {
    kernels_.grouped_gradient(blocks, count, d, add, out);
  } else if (is_small(layers_[layer])) {
    kernels_.small_product(Transpose::yes, d, rows, add, out);
  } else {
    gemm<T>(Transpose::yes, Transpose::no, 1, d, rows, add ? T(1) : T(0), out);
  }
}

template <typename T>
void LayerProducts<T>::transpose_weights(const T* theta) {
  const int count = static_cast<int>(pieces_.size());
  const auto all_made = [&] { return made_.load(std::memory_order_acquire) == count; };
  while (!all_made()) {
    const int piece = taken_.fetch_add(1, std::memory_order_relaxed);
    if (piece >= count) break;
    transpose_piece(pieces_[piece], theta);
    made_.fetch_add(1, std::memory_order_release);
  }
  while (!all_made()) std::this_thread::yield();
}

template <typename T>
void LayerProducts<T>::transpose_piece(const Piece& piece, const T* theta) const {
  const MatrixView<const T> weights = layers_[piece.layer].weights(theta);
  if (piece.panel == kWhole) {
    kernels_.transpose(weights, transposed_[piece.layer]);
  } else {
    kernels_.transpose_panel(weights, piece.panel, memory_[piece.layer].data());
  }
}

template class LayerProducts<float>;
template class LayerProducts<double>;

}  // namespace layerwise

#include "products/layer_products.h"

#include <thread>

#include "products/blas.h"

namespace layerwise {
namespace {

constexpr std::size_t kSmallLayer = 4096;

// Rows from which groups are worth while: by a rough count, W is transposed in the time that 30 of them save.
constexpr int kFewestRows = 64;

}  // namespace

bool is_small(const DenseLayer& layer) {
  return layer.owns_weights() && !layer.transposed && layer.weight_count() <= kSmallLayer;
}

template <typename T>
LayerProducts<T>::LayerProducts(const std::vector<DenseLayer>& layers) : layers_(layers), kernels_(vector_kernels<T>()) {}

template <typename T>
bool LayerProducts<T>::takes_groups(const DenseLayer& first, int rows) {
  return rows >= kFewestRows && !is_small(first) && !first.transposed;
}

template <typename T>
void LayerProducts<T>::expect_groups() {
  const DenseLayer& first = layers_.front();
  panels_ = Buffer<T>(kernels_.panel_elements(first.outputs, first.inputs));
  panel_count_ = kernels_.panel_count(first.outputs);
}

template <typename T>
void LayerProducts<T>::renew() {
  taken_.store(0, std::memory_order_relaxed);
  made_.store(0, std::memory_order_relaxed);
}

template <typename T>
void LayerProducts<T>::multiply(Transpose form, MatrixView<const T> rows, MatrixView<const T> weights, MatrixView<T> out) const {
  if (kernels_.product_pays(form, weights)) {
    kernels_.product(form, rows, weights, out);
  } else {
    gemm<T>(Transpose::no, form, 1, rows, weights, 0, out);
  }
}

template <typename T>
void LayerProducts<T>::forward(int layer, const T* theta, MatrixView<const T> rows, const RowGroups<T>* groups,
                               MatrixView<T> out) {
  const DenseLayer& shape = layers_[layer];
  if (groups == nullptr) return multiply(shape.forward_form(), rows, shape.weights(theta), out);
  transpose_weights(theta);
  kernels_.grouped_product(*groups, panels_.data(), out);
}

template <typename T>
void LayerProducts<T>::backward(int layer, const T* theta, MatrixView<const T> d, MatrixView<T> before) const {
  multiply(layers_[layer].backward_form(), d, layers_[layer].weights(theta), before);
}

template <typename T>
void LayerProducts<T>::gradient(int layer, MatrixView<const T> d, MatrixView<const T> rows, const RowGroups<T>* blocks, int count,
                                bool add, MatrixView<T> out, T* scratch) const {
  if (blocks != nullptr) {
    kernels_.grouped_gradient(blocks, count, d, add, out);
  } else if (is_small(layers_[layer])) {
    kernels_.transposed_product(d, rows, add, out);
  } else if (kernels_.gradient_pays) {
    kernels_.wide_gradient(d, rows, add, out, scratch);
  } else {
    gemm<T>(Transpose::yes, Transpose::no, 1, d, rows, add ? T(1) : T(0), out);
  }
}

template <typename T>
void LayerProducts<T>::transpose_weights(const T* theta) {
  const auto all_made = [&] { return made_.load(std::memory_order_acquire) == panel_count_; };
  while (!all_made()) {
    const int panel = taken_.fetch_add(1, std::memory_order_relaxed);
    if (panel >= panel_count_) break;
    kernels_.transpose_panel(layers_.front().weights(theta), panel, panels_.data());
    made_.fetch_add(1, std::memory_order_release);
  }
  while (!all_made()) std::this_thread::yield();
}

template class LayerProducts<float>;
template class LayerProducts<double>;

}  // namespace layerwise

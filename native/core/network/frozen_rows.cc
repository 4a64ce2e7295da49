#include "network/frozen_rows.h"

#include "kernels/vector_kernels.h"
#include "network/plan.h"
#include "products/choose.h"
#include "rows/file_rows.h"
#include "rows/sparse_rows.h"

namespace layerwise {

template <typename T>
FrozenRows<T>::FrozenRows(std::unique_ptr<RowSource<T>> behind, const Network& layers, const T* theta)
    : RowSource<T>(layers.outputs(), *behind),
      behind_(std::move(behind)),
      layers_(layers),
      theta_(theta),
      products_(choose_products<T>(layers.layers)),
      zeros_(layers.zeros()),
      inputs_(layers.layers.size()) {
  if (behind_->is_indexed()) products_.front() = choose_products<T>(layers_.layers.front(), InputKind::indexed);
  for (const auto& products : products_) products->prepare(theta);
}

template <typename T>
void FrozenRows<T>::open(const std::uint32_t* order, int first, int count) {
  behind_->open(order, first, count);
  hold(order, first, count);
}

template <typename T>
void FrozenRows<T>::look(int first, int count) {
  behind_->look(first, count);
  hold(nullptr, first, count);
}

// Memory for what the layers take in of the rows that are open behind.
template <typename T>
void FrozenRows<T>::hold(const std::uint32_t* order, int first, int count) {
  first_ = first;
  opened_ = count;
  if (behind_->is_indexed()) lists_.open(*behind_, order, first, count);
  for (int l = behind_->is_indexed() ? 1 : 0; l < layers_.depth(); l++) {
    const std::size_t size = count * stride_for(layers_.layers[l].inputs);
    if (inputs_[l].size() < size) inputs_[l] = Buffer<T>(size);
  }
}

template <typename T>
void FrozenRows<T>::read(const std::uint32_t* order, int first, MatrixView<T> out) const {
  const auto input_of = [&](int layer) {
    return matrix_in(inputs_[layer].data(), opened_, layers_.layers[layer].inputs).rows_from(first - first_, out.rows);
  };
  const int last = layers_.depth() - 1;
  const bool indexed = behind_->is_indexed();
  if (indexed) {
    lists_.fill(first - first_, out.rows);
  } else {
    behind_->read(order, first, input_of(0));
  }
  for (int l = 0; l <= last; l++) {
    const DenseLayer& layer = layers_.layers[l];
    const MatrixView<T> a = l == last ? out : input_of(l + 1);
    if (l == 0 && indexed) {
      products_[l]->forward(lists_.input().rows_from(first - first_, out.rows), a);
    } else {
      products_[l]->forward(MatrixView<const T>(input_of(l)), a);
    }
    vector_kernels<T>().activate(layer.activation, a, layer.biases(theta_, zeros_.data()), nullptr, {});
  }
}

template <typename T>
double FrozenRows<T>::value(int row, int column) const {
  std::vector<T> out(this->cols());
  read(nullptr, row, {out.data(), 1, this->cols()});
  return out[column];
}

template <typename T>
std::size_t FrozenRows<T>::scratch_elements() const {
  const InputKind input = behind_->is_indexed() ? InputKind::indexed : InputKind::dense;
  return Plan::row_elements(layers_, input) + behind_->scratch_elements();
}

template <typename T>
std::unique_ptr<RowSource<T>> make_source(const Rows& rows, const FrozenLayers* frozen) {
  std::unique_ptr<RowSource<T>> stored;
  if (rows.files) {
    stored = std::make_unique<FileRows<T>>(rows);
  } else if (rows.starts != nullptr) {
    stored = std::make_unique<SparseRows<T>>(rows);
  } else {
    stored = std::make_unique<MemoryRows<T>>(rows);
  }
  if (frozen == nullptr) return stored;
  auto outputs = std::make_unique<FrozenRows<T>>(std::move(stored), frozen->network, static_cast<const T*>(frozen->theta));
  if (rows.weights != nullptr) outputs->weigh(rows.weights);
  return outputs;
}

template class FrozenRows<float>;
template class FrozenRows<double>;
template std::unique_ptr<RowSource<float>> make_source(const Rows&, const FrozenLayers*);
template std::unique_ptr<RowSource<double>> make_source(const Rows&, const FrozenLayers*);

}  // namespace layerwise

#include "network/pass.h"

#include <algorithm>

#include "base/phase_clock.h"
#include "network/softmax.h"

namespace layerwise {

namespace {

// sums [cols] = the sum of the rows, each times its weight; null: 1 each.
template <typename T>
void sum_rows(const VectorKernels<T>& kernels, MatrixView<const T> rows, const double* weights, T* sums) {
  std::fill(sums, sums + rows.cols, T(0));
  for (int i = 0; i < rows.rows; i++) {
    const double weight = weights != nullptr ? weights[i] : 1;
    if (weight != 0) kernels.axpy(static_cast<T>(weight), rows.row(i), sums, rows.cols);
  }
}

}  // namespace

template <typename T>
Pass<T>::Pass(const Network& network, const Objective& objective, const std::vector<std::unique_ptr<Products<T>>>& products,
              const RowChunk<T>& rows, LayerValues<T>& values, const MeanActivation<T>& means,
              const typename LayerValues<T>::Size& size)
    : network_(network),
      objective_(objective),
      kernels_(vector_kernels<T>()),
      products_(products),
      rows_(rows),
      values_(values),
      means_(means),
      zeros_(network.zeros()),
      pieces_(network.outputs()),
      predicted_(objective.loss == Loss::log_loss ? size.rows : 0),
      block_loss_(size.blocks),
      block_absolute_(size.blocks),
      block_correct_(size.blocks) {}

template <typename T>
void Pass<T>::begin(const Task& task, int threads) {
  task_ = task;
  if (rows_.is_indexed() && objective_.loss != Loss::log_loss) pieces_.reserve(threads);
  row_factor_ = T(1) / static_cast<T>(task.count);
}

// What a layer takes in.
template <typename T>
LayerInput<T> Pass<T>::input(int block, int layer) const {
  if (layer == 0) return rows_.input(block);
  return MatrixView<const T>(values_.block(values_.activations(layer - 1), block));
}

// A W^T in the place of the layer's activations; A is what the layer takes in.
template <typename T>
void Pass<T>::product(int block, int layer) {
  const PhaseTimer timer(Phase::forward_product);
  products_[layer]->forward(input(block, layer), values_.block(values_.activations(layer), block));
}

template <typename T>
void Pass<T>::forward(int block, int from, int to, bool sums) {
  for (int l = from; l <= to; l++) {
    const DenseLayer& layer = network_.layers[l];
    product(block, l);
    const PhaseTimer timer(Phase::activation);
    const MatrixView<T> a = values_.block(values_.activations(l), block);
    T* into = sums ? values_.activation_sums(l, block) : nullptr;
    const double* weights = this->weights(block);
    kernels_.activate(layer.activation, a, biases(layer), weights == nullptr ? into : nullptr,
                      task_.wants_gradient ? values_.block(values_.slopes(l), block) : MatrixView<T>());
    if (weights != nullptr && into != nullptr) sum_rows(kernels_, MatrixView<const T>(a), weights, into);
  }
}

template <typename T>
const double* Pass<T>::weights(int block) const {
  const double* all = rows_.weights();
  return all == nullptr ? nullptr : all + rows_.blocks().begin(block);
}

template <typename T>
void Pass<T>::output(int block) {
  const int last = network_.depth() - 1;
  const DenseLayer& layer = network_.layers[last];
  const MatrixView<T> z = values_.block(values_.activations(last), block);
  product(block, last);
  const PhaseTimer timer(Phase::loss);
  T* sums = task_.wants_gradient ? values_.delta_sums(last, block) : nullptr;
  if (objective_.loss == Loss::log_loss) {
    block_loss_[block] = label_loss(block, z, sums);
  } else if (rows_.is_indexed()) {
    block_loss_[block] = indexed_loss(block, z, sums);
  } else {
    const MatrixView<const T> target = values_.block(rows_.target(), block);
    block_loss_[block] =
        weights(block) != nullptr ? weighted_loss(weights(block), z, target, sums)
        : sums == nullptr ? kernels_.output_loss(objective_.loss, layer.activation, z, biases(layer), target)
                          : kernels_.output_delta(objective_.loss, layer.activation, z, biases(layer), target, row_factor_, sums);
  }
  double absolute = 0;
  for (const Penalty& penalty : objective_.penalties) {
    if (penalty.on_mean()) continue;
    absolute += penalty.weight * absolute_sum(block, penalty.layer);
  }
  block_absolute_[block] = absolute;
}

// The loss of a block whose targets are index lists: they are dense only a few rows at a time.
template <typename T>
double Pass<T>::indexed_loss(int block, MatrixView<T> z, T* delta_sums) {
  const DenseLayer& layer = network_.layers.back();
  const double* weights = this->weights(block);
  double loss = 0;
  pieces_.each(rows_.indexed_target(block), [&](int first, MatrixView<const T> target, T* sums) {
    const MatrixView<T> y = z.rows_from(first, target.rows);
    T* of_piece = delta_sums == nullptr || first == 0 ? delta_sums : sums;
    if (weights != nullptr) {
      loss += weighted_loss(weights + first, y, target, of_piece);
    } else if (of_piece == nullptr) {
      loss += kernels_.output_loss(objective_.loss, layer.activation, y, biases(layer), target);
    } else {
      loss += kernels_.output_delta(objective_.loss, layer.activation, y, biases(layer), target, row_factor_, of_piece);
    }
    if (of_piece != delta_sums) kernels_.axpy(T(1), sums, delta_sums, static_cast<std::size_t>(z.cols));
  });
  return loss;
}

// The loss of a classifier's block, z [rows, classes] of the output layer. Where delta_sums is null z is only scratch.
template <typename T>
double Pass<T>::label_loss(int block, MatrixView<T> z, T* delta_sums) {
  const int begin = rows_.blocks().begin(block);
  const double* class_weights = objective_.class_weights.empty() ? nullptr : objective_.class_weights.data();
  const double* row_weights = weights(block);
  const std::uint32_t* labels = rows_.labels() + begin;
  std::uint32_t* predicted = predicted_.data() + begin;
  const Labels known{labels, class_weights, row_weights};
  const double loss = softmax_loss(z, biases(network_.layers.back()), known, row_factor_, delta_sums, predicted);
  double correct = 0;
  for (int i = 0; i < z.rows; i++) {
    if (labels[i] == predicted[i]) correct += row_weights != nullptr ? row_weights[i] : 1;
  }
  block_correct_[block] = correct;
  if (task_.predicted != nullptr) std::copy(predicted, predicted + z.rows, task_.predicted + rows_.first() + begin);
  return loss;
}

// Rows singly, each with its own factor: weights are rare, and the loops over a row are the same. Where delta_sums is null z is
// only read. A row of weight 0 adds nothing, whatever its numbers.
template <typename T>
double Pass<T>::weighted_loss(const double* weights, MatrixView<T> z, MatrixView<const T> target, T* delta_sums) {
  const DenseLayer& layer = network_.layers.back();
  double loss = 0;
  for (int i = 0; i < z.rows; i++) {
    const MatrixView<T> row = z.rows_from(i, 1);
    if (weights[i] == 0) {
      if (delta_sums != nullptr) std::fill(row.data, row.data + row.cols, T(0));
      continue;
    }
    const MatrixView<const T> x = target.rows_from(i, 1);
    const T factor = static_cast<T>(weights[i] / task_.count);
    // The sums of one row are overwritten below.
    loss += weights[i] * (delta_sums == nullptr ? kernels_.output_loss(objective_.loss, layer.activation, row, biases(layer), x)
                                                : kernels_.output_delta(objective_.loss, layer.activation, row, biases(layer), x,
                                                                        factor, delta_sums));
  }
  if (delta_sums != nullptr) sum_rows<T>(kernels_, z, nullptr, delta_sums);
  return loss;
}

// Of the layer's outputs, each row's times its weight.
template <typename T>
double Pass<T>::absolute_sum(int block, int layer) const {
  const MatrixView<const T> a = values_.block(values_.activations(layer), block);
  const double* weights = this->weights(block);
  if (weights == nullptr) return kernels_.absolute_sum(a);
  double sum = 0;
  for (int i = 0; i < a.rows; i++) {
    if (weights[i] != 0) sum += weights[i] * kernels_.absolute_sum(a.rows_from(i, 1));
  }
  return sum;
}

template <typename T>
void Pass<T>::back(int block, int from, int to) {
  for (int l = from; l > to; l--) {
    if (l < from) hidden_delta(block, l);
    const PhaseTimer timer(Phase::backward_product);
    products_[l]->backward(values_.block(values_.deltas(l), block), values_.block(values_.deltas(l - 1), block));
  }
}

template <typename T>
void Pass<T>::hidden_delta(int block, int layer) {
  {
    const PhaseTimer timer(Phase::hidden_delta);
    const T* pull = means_.pull(layer);
    const T l1 = means_.l1(layer, task_.count);
    const bool weighted = weights(block) != nullptr;
    if (weighted && l1 != 0) {
      weighted_l1_delta(block, layer);
    } else {
      if (weighted && pull != nullptr) add_weighted_pull(block, layer);
      kernels_.hidden_delta(network_.layers[layer].activation, values_.block(values_.deltas(layer), block),
                            values_.block(values_.activations(layer), block), values_.block(values_.slopes(layer), block),
                            weighted ? nullptr : pull, l1, values_.delta_sums(layer, block));
    }
  }
  gradient(block, layer);
}

// The pull on each row, before the rest of hidden_delta: what came back to the row has its weight already.
template <typename T>
void Pass<T>::add_weighted_pull(int block, int layer) {
  const MatrixView<T> d = values_.block(values_.deltas(layer), block);
  const double* weights = this->weights(block);
  for (int i = 0; i < d.rows; i++) kernels_.axpy(static_cast<T>(weights[i]), means_.pull(layer), d.row(i), d.cols);
}

// hidden_delta of a layer with an l1 penalty, rows singly.
template <typename T>
void Pass<T>::weighted_l1_delta(int block, int layer) {
  const MatrixView<T> d = values_.block(values_.deltas(layer), block);
  const MatrixView<const T> a = values_.block(values_.activations(layer), block);
  const MatrixView<const T> slopes = values_.block(values_.slopes(layer), block);
  const double* weights = this->weights(block);
  T* sums = values_.delta_sums(layer, block);
  for (int i = 0; i < d.rows; i++) {
    const T l1 = means_.l1(layer, task_.count) * static_cast<T>(weights[i]);
    kernels_.hidden_delta(network_.layers[layer].activation, d.rows_from(i, 1), a.rows_from(i, 1), slopes.rows_from(i, 1),
                          nullptr, l1, sums);
  }
  sum_rows<T>(kernels_, d, nullptr, sums);
}

template <typename T>
void Pass<T>::gradient(int block, int layer) {
  T* partial = values_.partial_gradient(layer, block);
  if (partial == nullptr || values_.blocks().count == 1) return;
  const PhaseTimer timer(Phase::gradient_product);
  const DenseLayer& shape = network_.layers[layer];
  products_[layer]->gradient(values_.block(values_.deltas(layer), block), input(block, layer), 0, false,
                             {partial, shape.outputs, shape.inputs}, nullptr);
}

template <typename T>
void Pass<T>::add_losses(double& loss, double& absolute, double& correct) const {
  for (int b = 0; b < values_.blocks().count; b++) {
    loss += block_loss_[b];
    absolute += block_absolute_[b];
    correct += block_correct_[b];
  }
}

template class Pass<float>;
template class Pass<double>;

}  // namespace layerwise

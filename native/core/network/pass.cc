#include "network/pass.h"

#include <algorithm>
#include <functional>
#include <numeric>

#include "base/phase_clock.h"
#include "network/softmax.h"

namespace layerwise {

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
      predicted_(objective.loss == Loss::log_loss ? size.rows : 0),
      block_loss_(size.blocks),
      block_absolute_(size.blocks),
      block_correct_(size.blocks) {}

template <typename T>
void Pass<T>::begin(const Task& task) {
  task_ = task;
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
    kernels_.activate(layer.activation, values_.block(values_.activations(l), block), biases(layer),
                      sums ? values_.activation_sums(l, block) : nullptr,
                      task_.wants_gradient ? values_.block(values_.slopes(l), block) : MatrixView<T>());
  }
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
  } else {
    const MatrixView<const T> target = values_.block(rows_.target(), block);
    block_loss_[block] =
        sums == nullptr ? kernels_.output_loss(objective_.loss, layer.activation, z, biases(layer), target)
                        : kernels_.output_delta(objective_.loss, layer.activation, z, biases(layer), target, row_factor_, sums);
  }
  double absolute = 0;
  for (const Penalty& penalty : objective_.penalties) {
    if (penalty.on_mean()) continue;
    absolute += penalty.weight * kernels_.absolute_sum(values_.block(values_.activations(penalty.layer), block));
  }
  block_absolute_[block] = absolute;
}

// The loss of a classifier's block, z [rows, classes] of the output layer. Where delta_sums is null z is only scratch.
template <typename T>
double Pass<T>::label_loss(int block, MatrixView<T> z, T* delta_sums) {
  const int begin = rows_.blocks().begin(block);
  const double* weights = objective_.class_weights.empty() ? nullptr : objective_.class_weights.data();
  const std::uint32_t* labels = rows_.labels() + begin;
  std::uint32_t* predicted = predicted_.data() + begin;
  const double loss = softmax_loss(z, biases(network_.layers.back()), {labels, weights}, row_factor_, delta_sums, predicted);
  block_correct_[block] = std::inner_product(labels, labels + z.rows, predicted, 0, std::plus<>(), std::equal_to<>());
  if (task_.predicted != nullptr) std::copy(predicted, predicted + z.rows, task_.predicted + rows_.first() + begin);
  return loss;
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
    kernels_.hidden_delta(network_.layers[layer].activation, values_.block(values_.deltas(layer), block),
                          values_.block(values_.activations(layer), block), values_.block(values_.slopes(layer), block),
                          means_.pull(layer), means_.l1(layer, task_.count), values_.delta_sums(layer, block));
  }
  gradient(block, layer);
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

// The work of an Evaluator on one block of rows: gather, forward, loss, and the deltas on the way back.
#include <algorithm>
#include <functional>
#include <numeric>

#include "base/phase_clock.h"
#include "network/evaluation.h"
#include "network/softmax.h"

namespace layerwise {

// The rows of one block as the network shall see them, and their labels.
template <typename T>
void Evaluator<T>::gather_block(const Request& request, const Chunk& chunk, int block) {
  if (chunk.gathered) return;
  const PhaseTimer timer(Phase::gather);
  const int begin = chunk.blocks.begin(block), rows = chunk.blocks.length(block), first = request.first + chunk.first + begin;
  const Gather<T>& source = *request.rows;
  if (!chunk.in_place) {
    // The target lies in one of our own buffers then.
    T* own = request.noise != nullptr ? clean_.data() : x_.data();
    const MatrixView<T> target = MatrixView<T>(own, chunk.rows, network_.inputs()).rows_from(begin, rows);
    if (source.rows().through == nullptr) {
      source.read(request.order, first, target);
    } else {
      through_block(request, chunk, block, target);
    }
  }
  if (request.noise != nullptr) {
    const MatrixView<T> x = MatrixView<T>(x_.data(), chunk.rows, network_.inputs()).rows_from(begin, rows);
    for (int i = 0; i < rows; i++) {
      request.noise->corrupt(source.row_at(request.order, first + i), chunk.target.row(begin + i), x.cols, x.row(i));
    }
  }
  if (chunk.groups != nullptr && !chunk.grouped) chunk.groups->put(block, chunk.x.rows_from(begin, rows));
  if (labels_.empty()) return;
  for (int i = 0; i < rows; i++) labels_[begin + i] = source.rows().labels[source.row_at(request.order, first + i)];
}

template <typename T>
void Evaluator<T>::through_block(const Request& request, const Chunk& chunk, int block, MatrixView<T> out) {
  const int begin = chunk.blocks.begin(block), rows = chunk.blocks.length(block);
  const Through& through = *request.rows->rows().through;
  const T* theta = static_cast<const T*>(through.theta);
  const auto buffer = [&](std::size_t i, int cols) {
    return matrix_in(through_[i].data(), chunk.rows, cols).rows_from(begin, rows);
  };
  MatrixView<T> input = buffer(0, through.network.inputs());
  request.rows->read(request.order, request.first + chunk.first + begin, input);
  for (int l = 0; l < through.network.depth(); l++) {
    const DenseLayer& layer = through.network.layers[l];
    const MatrixView<T> a = l + 1 == through.network.depth() ? out : buffer(l + 1, layer.outputs);
    through_products_[l]->forward(MatrixView<const T>(input), a);
    kernels_.activate(layer.activation, a, biases(layer, theta), nullptr, {});
    input = a;
  }
}

// What a layer takes in, of all rows of a chunk.
template <typename T>
LayerInput<T> Evaluator<T>::input(int layer, const Chunk& chunk) const {
  if (layer > 0) return MatrixView<const T>(activations(layer - 1, chunk));
  if (chunk.groups != nullptr) return GroupedRows<T>{chunk.groups->blocks(), chunk.blocks.count};
  return chunk.x;
}

// And of one block of them.
template <typename T>
LayerInput<T> Evaluator<T>::input(int layer, const Chunk& chunk, int block) const {
  const int begin = chunk.blocks.begin(block), rows = chunk.blocks.length(block);
  if (layer > 0) return MatrixView<const T>(activations(layer - 1, chunk).rows_from(begin, rows));
  if (chunk.groups != nullptr) return GroupedRows<T>{chunk.groups->blocks() + block, 1};
  return chunk.x.rows_from(begin, rows);
}

// A W^T in the place of the layer's activations, of one block.
template <typename T>
void Evaluator<T>::forward_product(const Chunk& chunk, int block, int layer) {
  const PhaseTimer timer(Phase::forward_product);
  const int begin = chunk.blocks.begin(block), rows = chunk.blocks.length(block);
  products_[layer]->forward(input(layer, chunk, block), activations(layer, chunk).rows_from(begin, rows));
}

// Hidden layers from … to (included) of one block.
template <typename T>
void Evaluator<T>::forward_block(const Request& request, const Chunk& chunk, int block, int from, int to, bool sums) {
  const int begin = chunk.blocks.begin(block), rows = chunk.blocks.length(block);
  for (int l = from; l <= to; l++) {
    const DenseLayer& layer = network_.layers[l];
    forward_product(chunk, block, l);
    const PhaseTimer timer(Phase::activation);
    T* column_sums =
        sums && !means_[l].empty() ? activation_sums_[l].data() + static_cast<std::size_t>(block) * layer.outputs : nullptr;
    const MatrixView<T> slope = request.wants_gradient() ? slopes(l, chunk).rows_from(begin, rows) : MatrixView<T>();
    kernels_.activate(layer.activation, activations(l, chunk).rows_from(begin, rows), biases(layer, request.theta), column_sums,
                      slope);
  }
}

// The output layer of one block: loss, and in place of the output its delta where a gradient is wanted.
template <typename T>
void Evaluator<T>::output_block(const Request& request, const Chunk& chunk, int block) {
  const int begin = chunk.blocks.begin(block), rows = chunk.blocks.length(block), last = network_.depth() - 1;
  const DenseLayer& layer = network_.layers[last];
  const T* bias = biases(layer, request.theta);
  MatrixView<T> z = activations(last, chunk).rows_from(begin, rows);
  forward_product(chunk, block, last);
  const PhaseTimer timer(Phase::loss);
  const T scale = T(1) / static_cast<T>(request.count);
  T* sums = request.wants_gradient() ? delta_sums_[last].data() + static_cast<std::size_t>(block) * layer.outputs : nullptr;
  if (objective_.loss == Loss::log_loss) {
    const double* weights = objective_.class_weights.empty() ? nullptr : objective_.class_weights.data();
    const std::uint32_t* labels = labels_.data() + begin;
    std::uint32_t* predicted = predicted_.data() + begin;
    block_loss_[block] = softmax_loss(z, bias, {labels, weights}, scale, sums, predicted);
    block_correct_[block] = std::inner_product(labels, labels + rows, predicted, 0, std::plus<>(), std::equal_to<>());
    if (request.predicted != nullptr) std::copy(predicted, predicted + rows, request.predicted + chunk.first + begin);
  } else {
    const MatrixView<const T> target = chunk.target.rows_from(begin, rows);
    block_loss_[block] = sums == nullptr ? kernels_.output_loss(objective_.loss, layer.activation, z, bias, target)
                                         : kernels_.output_delta(objective_.loss, layer.activation, z, bias, target, scale, sums);
  }
  double absolute = 0;
  for (const Penalty& penalty : objective_.penalties) {
    if (penalty.on_mean()) continue;
    absolute += penalty.weight * kernels_.absolute_sum(activations(penalty.layer, chunk).rows_from(begin, rows));
  }
  block_absolute_[block] = absolute;
}

// d of layer `to` without its f', for to = from-1 … : D[l] W[l], the layers between finished on the way.
template <typename T>
void Evaluator<T>::back_block(const Request& request, const Chunk& chunk, int block, int from, int to) {
  const int begin = chunk.blocks.begin(block), rows = chunk.blocks.length(block);
  for (int l = from; l > to; l--) {
    if (l < from) hidden_delta_block(request, chunk, block, l);
    const PhaseTimer timer(Phase::backward_product);
    products_[l]->backward(deltas(l, chunk).rows_from(begin, rows), deltas(l - 1, chunk).rows_from(begin, rows));
  }
}

template <typename T>
void Evaluator<T>::hidden_delta_block(const Request& request, const Chunk& chunk, int block, int layer) {
  const int begin = chunk.blocks.begin(block), rows = chunk.blocks.length(block);
  const Penalty* penalty = penalty_of_[layer];
  const T* pull = penalty != nullptr && penalty->on_mean() ? pulls_[layer].data() : nullptr;
  const T l1 = penalty != nullptr && !penalty->on_mean() ? static_cast<T>(penalty->weight / request.count) : T(0);
  const DenseLayer& shape = network_.layers[layer];
  {
    const PhaseTimer timer(Phase::hidden_delta);
    kernels_.hidden_delta(shape.activation, deltas(layer, chunk).rows_from(begin, rows),
                          activations(layer, chunk).rows_from(begin, rows), slopes(layer, chunk).rows_from(begin, rows), pull, l1,
                          delta_sums_[layer].data() + static_cast<std::size_t>(block) * shape.outputs);
  }
  gradient_block(chunk, block, layer);
}

// What a block adds to the gradient of a small layer's weights.
template <typename T>
void Evaluator<T>::gradient_block(const Chunk& chunk, int block, int layer) {
  if (partial_gradients_[layer].size() == 0 || chunk.blocks.count == 1) return;
  const PhaseTimer timer(Phase::gradient_product);
  const int begin = chunk.blocks.begin(block), rows = chunk.blocks.length(block);
  const DenseLayer& shape = network_.layers[layer];
  T* partial = partial_gradients_[layer].data() + block * shape.weight_count();
  products_[layer]->gradient(deltas(layer, chunk).rows_from(begin, rows), input(layer, chunk, block), 0, false,
                             {partial, shape.outputs, shape.inputs}, nullptr);
}

template LayerInput<float> Evaluator<float>::input(int, const Chunk&) const;
template void Evaluator<float>::gather_block(const Request&, const Chunk&, int);
template void Evaluator<float>::through_block(const Request&, const Chunk&, int, MatrixView<float>);
template void Evaluator<float>::forward_product(const Chunk&, int, int);
template void Evaluator<double>::forward_product(const Chunk&, int, int);
template void Evaluator<float>::forward_block(const Request&, const Chunk&, int, int, int, bool);
template void Evaluator<float>::output_block(const Request&, const Chunk&, int);
template void Evaluator<float>::back_block(const Request&, const Chunk&, int, int, int);
template void Evaluator<float>::hidden_delta_block(const Request&, const Chunk&, int, int);
template LayerInput<double> Evaluator<double>::input(int, const Chunk&) const;
template void Evaluator<double>::gather_block(const Request&, const Chunk&, int);
template void Evaluator<double>::through_block(const Request&, const Chunk&, int, MatrixView<double>);
template void Evaluator<double>::forward_block(const Request&, const Chunk&, int, int, int, bool);
template void Evaluator<double>::output_block(const Request&, const Chunk&, int);
template void Evaluator<double>::back_block(const Request&, const Chunk&, int, int, int);
template void Evaluator<double>::hidden_delta_block(const Request&, const Chunk&, int, int);
template void Evaluator<float>::gradient_block(const Chunk&, int, int);
template void Evaluator<double>::gradient_block(const Chunk&, int, int);

}  // namespace layerwise

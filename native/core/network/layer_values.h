#pragma once
#include <functional>
#include <vector>

#include "base/buffer.h"
#include "base/cut.h"
#include "network/network.h"

namespace layerwise {

// What a network's layers hold of the rows of one chunk: outputs, deltas, and what each row block adds to sums over rows. Written
// by Pass, a block by the thread that has it; read by Tiles, MeanActivation and Pass.
template <typename T>
class LayerValues {
 public:
  struct Size {
    int rows;    // of the longest chunk
    int blocks;  // of a chunk at most
    // Layers 0 … kept keep their outputs of all rows of an evaluation, so many; -1: none does.
    int kept = -1;
    int all_rows = 0;
  };
  // summed: whether the outputs of a layer are summed over rows; by_blocks [layers]: whether its weight gradient is made by row
  // blocks (Plan::by_blocks).
  LayerValues(const Network& network, const Size& size, const std::function<bool(int layer)>& summed,
              const std::vector<bool>& by_blocks);

  // The chunk at work is the rows first … of the evaluation, cut so. Serially.
  void open(int first, const Cut& blocks);
  const Cut& blocks() const { return blocks_; }
  int rows() const { return blocks_.total; }
  MatrixView<T> block(MatrixView<T> of_chunk, int block) const {
    return of_chunk.rows_from(blocks_.begin(block), blocks_.length(block));
  }
  MatrixView<const T> block(MatrixView<const T> of_chunk, int block) const {
    return of_chunk.rows_from(blocks_.begin(block), blocks_.length(block));
  }

  // [rows, outputs] the layer's outputs.
  MatrixView<T> activations(int layer) const;
  // [rows, outputs] f' of hidden layers that store it, kept as long as the activations; no view of other layers.
  MatrixView<T> slopes(int layer) const;
  // [rows, outputs] the derivative of the cost by what the layer's activation function takes in. That of the output layer takes
  // the place of its activations.
  MatrixView<T> deltas(int layer) const;

  // Sums over the rows of a block, [outputs]: of activations, null where they are not summed, and of deltas.
  T* activation_sums(int layer, int block) const { return part(activation_sums_[layer], layer, block); }
  T* delta_sums(int layer, int block) const { return part(delta_sums_[layer], layer, block); }
  // [outputs, inputs] the weight gradient over the rows of a block, of layers that have it by blocks; else null.
  T* partial_gradient(int layer, int block) const {
    const Buffer<T>& all = partial_gradients_[layer];
    return all.size() == 0 ? nullptr : all.data() + block * network_.layers[layer].weight_count();
  }

 private:
  T* part(const Buffer<T>& all, int layer, int block) const {
    return all.size() == 0 ? nullptr : all.data() + static_cast<std::size_t>(block) * network_.layers[layer].outputs;
  }

  const Network& network_;
  int kept_;
  int first_ = 0;
  Cut blocks_;
  std::vector<Buffer<T>> activations_;        // [layers][rows, stride], of kept layers all rows
  std::vector<Buffer<T>> slopes_;             // [layers][rows, stride] of those that store them, where the activations are
  std::vector<Buffer<T>> deltas_;             // [hidden layers][rows, stride]
  std::vector<Buffer<T>> activation_sums_;    // [layers][blocks, outputs]
  std::vector<Buffer<T>> delta_sums_;         // [layers][blocks, outputs]
  std::vector<Buffer<T>> partial_gradients_;  // [layers][blocks, weights]
};

}  // namespace layerwise

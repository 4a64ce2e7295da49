#pragma once
#include <memory>
#include <vector>

#include "kernels/vector_kernels.h"
#include "network/layer_values.h"
#include "network/mean_activation.h"
#include "products/products.h"
#include "rows/dense_pieces.h"
#include "rows/row_chunk.h"

namespace layerwise {

// The work of an evaluation on blocks of rows: forward, loss, and the deltas on the way back. Any thread does any of it; a block
// is worked on by one thread at a time, which writes its rows of LayerValues and its sums.
template <typename T>
class Pass {
 public:
  // What one run asks.
  struct Task {
    const T* theta = nullptr;
    int count = 0;                       // rows of the run
    bool wants_gradient = false;         // deltas are wanted, not the loss alone
    std::uint32_t* predicted = nullptr;  // log_loss: receives the most probable class of each row, [count]
  };

  Pass(const Network& network, const Objective& objective, const std::vector<std::unique_ptr<Products<T>>>& products,
       const RowChunk<T>& rows, LayerValues<T>& values, const MeanActivation<T>& means,
       const typename LayerValues<T>::Size& size);

  // threads: that work on blocks at a time.
  void begin(const Task& task, int threads);

  // Hidden layers from … to (both included): their outputs, and the block's sums of those where `sums`.
  void forward(int block, int from, int to, bool sums);
  // The output layer: the block's loss, and in place of the output its delta where deltas are wanted.
  void output(int block);
  // From the finished delta of layer `from` to that of layer `to`, which still lacks f' and what penalties add (hidden_delta);
  // the layers between are finished on the way.
  void back(int block, int from, int to);
  // Finishes the delta of a hidden layer, when its pull is known.
  void hidden_delta(int block, int layer);
  // What the block adds to the gradient of a small layer's weights, when its delta is finished; nothing of other layers.
  void gradient(int block, int layer);

  // Adds what the blocks of the chunk found, in their order, not yet divided by the rows of the run: loss, l1 penalties, and rows
  // whose label is the most probable class. Serially.
  void add_losses(double& loss, double& absolute, double& correct) const;

 private:
  LayerInput<T> input(int block, int layer) const;
  const T* biases(const DenseLayer& layer) const { return layer.biases(task_.theta, zeros_.data()); }
  void product(int block, int layer);
  // The weights of the block's rows; null where they have none.
  const double* weights(int block) const;
  double indexed_loss(int block, MatrixView<T> z, T* delta_sums);
  double label_loss(int block, MatrixView<T> z, T* delta_sums);
  double weighted_loss(const double* weights, MatrixView<T> z, MatrixView<const T> target, T* delta_sums);
  double absolute_sum(int block, int layer) const;
  void add_weighted_pull(int block, int layer);
  void weighted_l1_delta(int block, int layer);

  const Network& network_;
  const Objective& objective_;
  const VectorKernels<T>& kernels_;
  const std::vector<std::unique_ptr<Products<T>>>& products_;  // [layers]
  const RowChunk<T>& rows_;
  LayerValues<T>& values_;
  const MeanActivation<T>& means_;

  Task task_;
  T row_factor_ = 1;                      // of every row's loss in the cost: 1 / count, times its weight
  Buffer<T> zeros_;                       // biases of layers that have none
  DensePieces<T> pieces_;                 // of targets that are index lists
  std::vector<std::uint32_t> predicted_;  // [rows of a chunk] log_loss: the most probable class
  std::vector<double> block_loss_, block_absolute_, block_correct_;  // [blocks]
};

}  // namespace layerwise

#pragma once
#include <atomic>
#include <vector>

#include "buffer.h"
#include "network.h"
#include "row_groups.h"
#include "vector_kernels.h"

namespace layerwise {

// Whether a layer has so few weights that small_product makes its products.
bool is_small(const DenseLayer& layer);

// The three products of each layer of a network: OpenBLAS's; of layers of few weights small_product; and of the first layer with
// rows that are mostly zeros, given in groups, grouped_product and grouped_gradient.
//
// For the latter two W^T is wanted. It is made anew for each evaluation, piece by piece, by the threads that need it first;
// whoever comes while others are at it helps, and waits for what is in their hands.
template <typename T>
class LayerProducts {
 public:
  explicit LayerProducts(const Network& network);

  // Whether so many rows may come in groups: where there are fewer, turning W over is not worth it.
  static bool takes_groups(const Network& network, int rows);
  // Rows will come in groups. Serially.
  void expect_groups();
  // Other parameters from now on. Serially.
  void renew();

  // out = A W^T: A the rows, or, of the first layer, those in `groups` where that is not null.
  void forward(int layer, const T* theta, MatrixView<const T> rows, const RowGroups<T>* groups, MatrixView<T> out);
  // before = D W.
  void backward(int layer, const T* theta, MatrixView<const T> d, MatrixView<T> before) const;
  // out = D^T A, or out += D^T A, D some of the layer's units; A the rows, or those of so many blocks where these are not null.
  void gradient(int layer, MatrixView<const T> d, MatrixView<const T> rows, const RowGroups<T>* blocks, int count, bool add,
                MatrixView<T> out) const;

 private:
  static constexpr int kWhole = -1;
  struct Piece {
    int layer;
    int panel;  // for grouped_product, or kWhole
  };

  void transpose_weights(const T* theta);
  void transpose_piece(const Piece& piece, const T* theta) const;

  const std::vector<DenseLayer> layers_;
  const VectorKernels<T>& kernels_;
  std::vector<Buffer<T>> memory_;          // [layers]
  std::vector<MatrixView<T>> transposed_;  // [layers] of small ones, [inputs, outputs]
  std::vector<Piece> pieces_;
  std::atomic<int> taken_{0}, made_{0};
};

}  // namespace layerwise

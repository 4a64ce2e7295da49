#pragma once
#include <atomic>
#include <vector>

#include "base/buffer.h"
#include "kernels/row_groups.h"
#include "kernels/vector_kernels.h"
#include "products/dense_layer.h"

namespace layerwise {

// Whether a layer has so few weights that its products are over before a BLAS has packed its operands.
bool is_small(const DenseLayer& layer);

// The three products of each layer of a network. Rows meet the weights in VectorKernels::product where that pays; the gradient of
// a small layer is its transposed_product, that of others its wide_gradient where that pays; and the first layer multiplies rows
// that are mostly zeros, given in groups, by grouped_product and grouped_gradient. All others are OpenBLAS's.
//
// grouped_product wants W^T. It is made anew for each evaluation, panel by panel, by the threads that need it first; whoever
// comes meanwhile helps, then waits for unfinished panels.
template <typename T>
class LayerProducts {
 public:
  explicit LayerProducts(const std::vector<DenseLayer>& layers);

  // Whether so many rows of the first layer may come in groups: where there are fewer, transposing W is not worth it.
  static bool takes_groups(const DenseLayer& first, int rows);
  // Rows will come in groups. Serially.
  void expect_groups();
  // Other parameters from now on. Serially.
  void renew();

  // out = A W^T: A the rows, or, of the first layer, those in `groups` where that is not null.
  void forward(int layer, const T* theta, MatrixView<const T> rows, const RowGroups<T>* groups, MatrixView<T> out);
  // before = D W.
  void backward(int layer, const T* theta, MatrixView<const T> d, MatrixView<T> before) const;
  // out = D^T A, or out += D^T A, D some of the layer's units; A the rows, or those of so many blocks where these are not null.
  // scratch [scratch_elements()] is the calling thread's own; of a small layer it may be null.
  void gradient(int layer, MatrixView<const T> d, MatrixView<const T> rows, const RowGroups<T>* blocks, int count, bool add,
                MatrixView<T> out, T* scratch) const;
  std::size_t scratch_elements() const { return kernels_.gradient_pays ? kernels_.gradient_scratch : 0; }

 private:
  void multiply(Transpose form, MatrixView<const T> rows, MatrixView<const T> weights, MatrixView<T> out) const;
  void transpose_weights(const T* theta);

  const std::vector<DenseLayer> layers_;
  const VectorKernels<T>& kernels_;
  Buffer<T> panels_;  // of the first layer's W^T, where groups are expected
  int panel_count_ = 0;
  std::atomic<int> taken_{0}, made_{0};
};

}  // namespace layerwise

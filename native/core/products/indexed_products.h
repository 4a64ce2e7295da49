#pragma once
#include "base/buffer.h"
#include "kernels/vector_kernels.h"
#include "products/dense_products.h"
#include "products/shared_parts.h"

namespace layerwise {

// Products of rows that come as index lists.
//
// forward reads those rows of W^T that a row has elements for. W^T is copied anew for other parameters, unless the matrix is
// stored so. An element of a gradient is summed in the order of the rows.
template <typename T>
class IndexedProducts final : public DenseProducts<T> {
 public:
  IndexedProducts(const DenseLayer& layer, const Ways& ways);

  void prepare(const T* theta) override;
  void forward(const LayerInput<T>& input, MatrixView<T> out) override;
  void gradient(MatrixView<const T> d, const LayerInput<T>& input, int first, bool add, MatrixView<T> out,
                T* scratch) const override;

 private:
  MatrixView<const T> transposed() const;
  void make_strip(int strip);

  const VectorKernels<T>& kernels_;
  Buffer<T> transposed_;  // [inputs, stride] W^T, where the layer does not store it so
  Cut strips_;            // of the rows of W^T: each is made by one thread
  SharedParts made_;      // one for each strip
};

}  // namespace layerwise

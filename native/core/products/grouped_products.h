#pragma once
#include "base/buffer.h"
#include "kernels/vector_kernels.h"
#include "products/dense_products.h"
#include "products/shared_parts.h"

namespace layerwise {

// Products of rows that come in groups, or now and then dense, with weights stored [outputs, inputs].
//
// grouped_product reads W^T in panels, which are made anew for other parameters.
template <typename T>
class GroupedProducts final : public DenseProducts<T> {
 public:
  GroupedProducts(const DenseLayer& layer, const Ways& ways);

  void prepare(const T* theta) override;
  void forward(const LayerInput<T>& input, MatrixView<T> out) override;
  void gradient(MatrixView<const T> d, const LayerInput<T>& input, int first, bool add, MatrixView<T> out,
                T* scratch) const override;

 private:
  const VectorKernels<T>& kernels_;
  Buffer<T> panels_;  // of W^T
  SharedParts made_;  // one for each panel
};

}  // namespace layerwise

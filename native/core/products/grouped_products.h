#pragma once
#include <atomic>

#include "base/buffer.h"
#include "kernels/vector_kernels.h"
#include "products/dense_products.h"

namespace layerwise {

// Products of rows that come in groups, or now and then dense, with weights stored [outputs, inputs].
//
// grouped_product reads W^T in panels. They are made anew for other parameters, by the threads that need them first; whoever
// comes meanwhile helps, then waits for unfinished panels.
template <typename T>
class GroupedProducts final : public DenseProducts<T> {
 public:
  GroupedProducts(const DenseLayer& layer, const Ways& ways);

  void prepare(const T* theta) override;
  void forward(const LayerInput<T>& input, MatrixView<T> out) override;
  void gradient(MatrixView<const T> d, const LayerInput<T>& input, int first, bool add, MatrixView<T> out,
                T* scratch) const override;

 private:
  void make_panels();

  const VectorKernels<T>& kernels_;
  Buffer<T> panels_;  // of W^T
  int panel_count_;
  std::atomic<int> taken_{0}, made_{0};
};

}  // namespace layerwise

#pragma once
#include <cstddef>

#include "base/matrix.h"
#include "products/layer_input.h"

namespace layerwise {

// The three products of one layer, with W its weights, A its input and D its deltas. choose_products (choose.h) makes one. Used
// by one task at a time; all but `prepare` may be called on any of its threads at once.
template <typename T>
class Products {
 public:
  virtual ~Products() = default;

  // theta [parameters] from now on; to be called again whenever its elements have changed. Serially.
  virtual void prepare(const T* theta) = 0;

  // out [rows, outputs] = A W^T.
  virtual void forward(const LayerInput<T>& input, MatrixView<T> out) = 0;

  // before [rows, inputs] = D W.
  virtual void backward(MatrixView<const T> d, MatrixView<T> before) const = 0;

  // Rows of the gradient of the weights as they are stored, from row `first` on, as many as out has: of D^T A, or of A^T D where
  // the matrix is stored transposed. out becomes these, or they are added to it. scratch [scratch_elements()] belongs to the
  // calling thread; it may be null where there are none.
  virtual void gradient(MatrixView<const T> d, const LayerInput<T>& input, int first, bool add, MatrixView<T> out,
                        T* scratch) const = 0;
  virtual std::size_t scratch_elements() const = 0;
};

}  // namespace layerwise

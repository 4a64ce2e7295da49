#pragma once
#include <cstddef>

#include "base/matrix.h"
#include "kernels/activation.h"

namespace layerwise {

// One dense layer: A = f(A_before W^T + b), W [outputs, inputs], b [outputs].
struct DenseLayer {
  int inputs;
  int outputs;
  Activation activation;
  // Where W and b begin in the flat parameter vector. A layer without biases has 0 for b.
  std::size_t weights_at;
  std::size_t biases_at;
  bool has_biases = true;
  // W is stored [inputs, outputs].
  bool transposed = false;
  // The layer whose W, transposed, is this one's; -1: it has its own.
  int tied_to = -1;

  bool owns_weights() const { return tied_to < 0; }
  std::size_t weight_count() const { return static_cast<std::size_t>(outputs) * static_cast<std::size_t>(inputs); }
  // How W as it is stored stands in A W^T, and in D W.
  Transpose forward_form() const { return transposed ? Transpose::no : Transpose::yes; }
  Transpose backward_form() const { return transposed ? Transpose::yes : Transpose::no; }

  // As stored.
  template <typename T>
  MatrixView<const T> weights(const T* theta) const {
    return transposed ? MatrixView<const T>(theta + weights_at, inputs, outputs)
                      : MatrixView<const T>(theta + weights_at, outputs, inputs);
  }
  // `zeros` [outputs] stands for the biases of a layer that has none.
  template <typename T>
  const T* biases(const T* theta, const T* zeros) const {
    return has_biases ? theta + biases_at : zeros;
  }
};

}  // namespace layerwise

#pragma once
#include <cstddef>
#include <vector>

#include "activation.h"
#include "matrix.h"

namespace layerwise {

// One dense layer: A = f(A_before W^T + b), W [outputs, inputs], b [outputs].
struct DenseLayer {
  int inputs;
  int outputs;
  Activation activation;
  // Where W and b begin in the flat parameter vector.
  std::size_t weights_at;
  std::size_t biases_at;

  std::size_t weight_count() const { return static_cast<std::size_t>(outputs) * static_cast<std::size_t>(inputs); }

  template <typename T>
  MatrixView<const T> weights(const T* theta) const {
    return {theta + weights_at, outputs, inputs};
  }
};

// A list of dense layers over one flat parameter vector: W1 b1 W2 b2 …
struct Network {
  std::vector<DenseLayer> layers;
  std::size_t parameters = 0;

  void add(int inputs, int outputs, Activation activation) {
    DenseLayer layer{inputs, outputs, activation, parameters, 0};
    layer.biases_at = parameters + layer.weight_count();
    parameters = layer.biases_at + static_cast<std::size_t>(outputs);
    layers.push_back(layer);
  }
  int inputs() const { return layers.front().inputs; }
  int outputs() const { return layers.back().outputs; }
  int depth() const { return static_cast<int>(layers.size()); }
};

}  // namespace layerwise

#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "activation.h"
#include "blas.h"
#include "matrix.h"

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

// A list of dense layers over one flat parameter vector: W1 b1 W2 b2 …, without the matrices of tied layers and absent biases.
struct Network {
  std::vector<DenseLayer> layers;
  std::size_t parameters = 0;

  void add(int inputs, int outputs, Activation activation, bool biases = true, bool transposed = false) {
    DenseLayer layer{inputs, outputs, activation, parameters, 0, biases, transposed};
    parameters += layer.weight_count();
    append(layer);
  }
  // A layer over the transposed matrix of layer `source`, which is stored [outputs, inputs].
  void add_tied(int source, Activation activation, bool biases) {
    const DenseLayer& owner = layers[source];
    append({owner.outputs, owner.inputs, activation, owner.weights_at, 0, biases, true, source});
  }
  int inputs() const { return layers.front().inputs; }
  int outputs() const { return layers.back().outputs; }
  int depth() const { return static_cast<int>(layers.size()); }
  // The longest row of zeros that layers without biases ask for.
  std::size_t zeros() const {
    int most = 0;
    for (const DenseLayer& layer : layers) most = std::max(most, layer.has_biases ? 0 : layer.outputs);
    return static_cast<std::size_t>(most);
  }

 private:
  void append(DenseLayer layer) {
    if (layer.has_biases) {
      layer.biases_at = parameters;
      parameters += static_cast<std::size_t>(layer.outputs);
    }
    layers.push_back(layer);
  }
};

}  // namespace layerwise

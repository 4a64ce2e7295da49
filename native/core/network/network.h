#pragma once
#include <algorithm>
#include <cstddef>
#include <vector>

#include "products/dense_layer.h"

namespace layerwise {

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

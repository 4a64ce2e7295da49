#pragma once
#include "kernels/vector_kernels.h"
#include "network/softmax.h"
#include "products/dense_layer.h"

namespace layerwise {

// z [rows, outputs] becomes the layer's outputs f(z + bias), softmax or any other.
template <typename T>
void activate(const DenseLayer& layer, MatrixView<T> z, const T* bias) {
  if (layer.activation == Activation::softmax) {
    softmax(z, bias);
  } else {
    vector_kernels<T>().activate(layer.activation, z, bias, nullptr, {});
  }
}

}  // namespace layerwise

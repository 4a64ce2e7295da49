#include "products/single_row.h"

#include <algorithm>

#include "kernels/vector_kernels.h"
#include "products/choose.h"

namespace layerwise {

template <typename T>
void multiply_row(const DenseLayer& layer, const T* theta, const T* transposed, const T* x, T* z) {
  const VectorKernels<T>& kernels = vector_kernels<T>();
  const auto skips_zeros = [&] {
    const auto zeros = static_cast<int>(std::count(x, x + layer.inputs, T(0)));
    return zeros_are_skipped(zeros, layer.inputs, sizeof(T));
  };
  if (layer.transposed) {
    kernels.row_product(x, layer.inputs, layer.weights(theta).data, layer.outputs, z);
  } else if (transposed != nullptr && skips_zeros()) {
    kernels.row_product(x, layer.inputs, transposed, layer.outputs, z);
  } else {
    kernels.matrix_vector(layer.weights(theta), x, z);
  }
}

template <typename T>
void multiply_indexed_row(const DenseLayer& layer, const T* theta, const T* transposed, const IndexedRows<T>& x, T* z) {
  const VectorKernels<T>& kernels = vector_kernels<T>();
  const auto outputs = static_cast<std::size_t>(layer.outputs);
  const T* rows = layer.transposed ? layer.weights(theta).data : transposed;
  std::fill(z, z + outputs, T(0));
  for (std::size_t k = x.starts[0]; k < x.starts[1]; k++) kernels.axpy(x.values[k], rows + x.columns[k] * outputs, z, outputs);
}

template void multiply_indexed_row(const DenseLayer&, const float*, const float*, const IndexedRows<float>&, float*);
template void multiply_indexed_row(const DenseLayer&, const double*, const double*, const IndexedRows<double>&, double*);
template void multiply_row(const DenseLayer&, const float*, const float*, const float*, float*);
template void multiply_row(const DenseLayer&, const double*, const double*, const double*, double*);

}  // namespace layerwise

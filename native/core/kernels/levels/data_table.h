#pragma once
#include "kernels/loops/data.h"
#include "kernels/loops/row.h"
#include "kernels/loops/update.h"

namespace layerwise::LAYERWISE_LEVEL {

template <typename T>
void add_data(VectorKernels<T>& to) {
  to.row_squared_errors = row_squared_errors<T>;
  to.squared_differences = squared_differences<T>;
  add_gather(to, std::make_integer_sequence<int, kStorageCount>{});
  to.matrix_vector = matrix_vector<T>;
  to.row_product = row_product<T>;
  to.within = within<T>;
  to.gradient_descent = gradient_descent<T>;
  to.momentum = momentum<T>;
  to.adam = adam<T>;
  to.add_decay = add_decay<T>;
  to.dot = dot<T>;
  to.axpy = axpy<T>;
  to.add_scaled = add_scaled<T>;
  to.subtract = subtract<T>;
  to.scale = scale<T>;
}

template void add_data(VectorKernels<float>&);
template void add_data(VectorKernels<double>&);

}  // namespace layerwise::LAYERWISE_LEVEL

#include "kernels/levels/end.h"

#pragma once
#include "kernels/loops/gradient.h"
#include "kernels/loops/product.h"
#include "kernels/loops/transpose.h"

namespace layerwise::LAYERWISE_LEVEL {

template <typename T>
void add_products(VectorKernels<T>& to) {
  to.product = product<T>;
  to.transposed_product = transposed_product<T>;
  to.wide_gradient = wide_gradient<T>;
  to.transpose = transpose<T>;
  to.gradient_scratch = kGradientScratch;
}

template void add_products(VectorKernels<float>&);
template void add_products(VectorKernels<double>&);

}  // namespace layerwise::LAYERWISE_LEVEL

#include "kernels/levels/end.h"

#pragma once
#include "kernels/loops/layer.h"
#include "kernels/loops/output.h"

namespace layerwise::LAYERWISE_LEVEL {

template <typename T>
void add_layers(VectorKernels<T>& to) {
  to.activate = activate<T>;
  to.output_delta = output_delta<T>;
  to.output_loss = output_loss<T>;
  to.hidden_delta = hidden_delta<T>;
  to.exponentials = exponentials<T>;
  to.absolute_sum = absolute_sum<T>;
}

template void add_layers(VectorKernels<float>&);
template void add_layers(VectorKernels<double>&);

}  // namespace layerwise::LAYERWISE_LEVEL

#include "kernels/levels/end.h"

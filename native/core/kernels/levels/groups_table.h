#pragma once
#include "kernels/loops/groups.h"

namespace layerwise::LAYERWISE_LEVEL {

template <typename T>
void add_groups(VectorKernels<T>& to) {
  to.group_rows = group_rows<T>;
  to.bands = bands<T>;
  to.transpose_panel = transpose_panel<T>;
  to.panel_count = panel_count<T>;
  to.panel_elements = panel_elements<T>;
  to.grouped_product = grouped_product<T>;
  to.grouped_gradient = grouped_gradient<T>;
}

template void add_groups(VectorKernels<float>&);
template void add_groups(VectorKernels<double>&);

}  // namespace layerwise::LAYERWISE_LEVEL

#include "kernels/levels/end.h"

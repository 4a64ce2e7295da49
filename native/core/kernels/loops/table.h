#pragma once
#include "kernels/loops/data.h"
#include "kernels/loops/gradient.h"
#include "kernels/loops/groups.h"
#include "kernels/loops/layer.h"
#include "kernels/loops/output.h"
#include "kernels/loops/row.h"
#include "kernels/loops/update.h"

namespace layerwise::LAYERWISE_LEVEL {

template <typename T>
constexpr VectorKernels<T> table() {
  VectorKernels<T> k{};
  k.activate = activate<T>;
  k.output_delta = output_delta<T>;
  k.output_loss = output_loss<T>;
  k.hidden_delta = hidden_delta<T>;
  k.exponentials = exponentials<T>;
  k.absolute_sum = absolute_sum<T>;
  k.row_squared_errors = row_squared_errors<T>;
  k.squared_differences = squared_differences<T>;
  k.gather_u8 = gather_u8<T>;
  k.gather_f32 = gather_f32<T>;
  k.gather_f64 = gather_f64<T>;
  k.product = product<T>;
  k.product_pays = product_pays<T>;
  k.transposed_product = transposed_product<T>;
  k.wide_gradient = wide_gradient<T>;
  k.gradient_pays = kGradientPays;
  k.gradient_scratch = kGradientScratch;
  k.transpose = transpose<T>;
  k.group_rows = group_rows<T>;
  k.bands = bands<T>;
  k.most_kept = kMostKept;
  k.transpose_panel = transpose_panel<T>;
  k.panel_count = panel_count<T>;
  k.panel_elements = panel_elements<T>;
  k.grouped_product = grouped_product<T>;
  k.grouped_gradient = grouped_gradient<T>;
  k.matrix_vector = matrix_vector<T>;
  k.row_product = row_product<T>;
  k.within = within<T>;
  k.gradient_descent = gradient_descent<T>;
  k.momentum = momentum<T>;
  k.adam = adam<T>;
  k.add_decay = add_decay<T>;
  k.dot = dot<T>;
  k.axpy = axpy<T>;
  k.add_scaled = add_scaled<T>;
  k.subtract = subtract<T>;
  k.scale = scale<T>;
  return k;
}

const VectorKernels<float> kernels_f32 = table<float>();
const VectorKernels<double> kernels_f64 = table<double>();

}  // namespace layerwise::LAYERWISE_LEVEL

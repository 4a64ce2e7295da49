#pragma once
#include <cstdint>

#include "base/matrix.h"

namespace layerwise {

// The softmax of each row, z [rows, classes] contiguous: y = e^(z + bias - max) / sum, in place.
template <typename T>
void softmax(MatrixView<T> z, const T* bias);

// What the rows' labels say of z. A row counts the weight of its class times its own; null for 1.
struct Labels {
  const std::uint32_t* of_row;          // [rows], each below the number of classes
  const double* weights;                // [classes]
  const double* row_weights = nullptr;  // [rows]

  double weight(int row) const {
    const double of_class = weights != nullptr ? weights[of_row[row]] : 1;
    return row_weights != nullptr ? of_class * row_weights[row] : of_class;
  }
  // Rows of weight 0 add nothing, whatever their z.
  bool leaves_out(int row) const { return row_weights != nullptr && row_weights[row] == 0; }
};

// The sum over rows of -weight ln y[label], by log-sum-exp in float64, not divided by m. z becomes D = scale * weight * (y -
// onehot), column_sums[j] the sum of its column j; where column_sums is null z is only scratch. predicted [rows] receives
// the first of the most probable classes of each row, or the number of classes where z is not finite.
template <typename T>
double softmax_loss(MatrixView<T> z, const T* bias, const Labels& labels, T scale, T* column_sums, std::uint32_t* predicted);

// The first of the largest of n numbers.
template <typename T>
std::uint32_t largest(const T* x, int n);

}  // namespace layerwise

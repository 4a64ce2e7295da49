#include "network/softmax.h"

#include <algorithm>
#include <cmath>

#include "kernels/vector_kernels.h"

namespace layerwise {
namespace {

// row = row + bias - max, which lies in (-inf, 0]. A NaN anywhere makes the whole row NaN.
template <typename T>
void shift(T* row, const T* bias, int n) {
  T most = row[0] + bias[0];
  T sum = 0;
  for (int j = 0; j < n; j++) {
    row[j] += bias[j];
    sum += row[j] * T(0);
    most = std::max(most, row[j]);
  }
  for (int j = 0; j < n; j++) row[j] = row[j] - most + sum;
}

template <typename T>
double sum_of(const T* row, int n) {
  double sum = 0;
  for (int j = 0; j < n; j++) sum += row[j];
  return sum;
}

template <typename T>
void exponentials(MatrixView<T> z) {
  for (int i = 0; i < z.rows; i++) vector_kernels<T>().exponentials(z.row(i), static_cast<std::size_t>(z.cols));
}

}  // namespace

template <typename T>
void softmax(MatrixView<T> z, const T* bias) {
  for (int i = 0; i < z.rows; i++) shift(z.row(i), bias, z.cols);
  exponentials(z);
  for (int i = 0; i < z.rows; i++) {
    T* y = z.row(i);
    const double sum = sum_of(y, z.cols);
    for (int j = 0; j < z.cols; j++) y[j] = static_cast<T>(y[j] / sum);
  }
}

template <typename T>
double softmax_loss(MatrixView<T> z, const T* bias, const Labels& labels, T scale, T* column_sums, std::uint32_t* predicted) {
  if (column_sums != nullptr) std::fill(column_sums, column_sums + z.cols, T(0));
  double loss = 0;
  for (int i = 0; i < z.rows; i++) {
    shift(z.row(i), bias, z.cols);
    // shift() has made the largest of them 0.
    predicted[i] = static_cast<std::uint32_t>(std::find(z.row(i), z.row(i) + z.cols, T(0)) - z.row(i));
    if (!labels.leaves_out(i)) loss -= labels.weight(i) * static_cast<double>(z.row(i)[labels.of_row[i]]);
  }
  exponentials(z);
  for (int i = 0; i < z.rows; i++) {
    T* y = z.row(i);
    if (labels.leaves_out(i)) {
      std::fill(y, y + z.cols, T(0));
      continue;
    }
    const std::uint32_t label = labels.of_row[i];
    const double sum = sum_of(y, z.cols), weight = labels.weight(i);
    loss += weight * std::log(sum);
    if (column_sums == nullptr) continue;
    const double factor = weight * static_cast<double>(scale);
    for (int j = 0; j < z.cols; j++) {
      const double probability = y[j] / sum;
      y[j] = static_cast<T>(factor * (j == static_cast<int>(label) ? probability - 1 : probability));
      column_sums[j] += y[j];
    }
  }
  return loss;
}

template <typename T>
std::uint32_t largest(const T* x, int n) {
  return static_cast<std::uint32_t>(std::max_element(x, x + n) - x);
}

template void softmax(MatrixView<float>, const float*);
template void softmax(MatrixView<double>, const double*);
template double softmax_loss(MatrixView<float>, const float*, const Labels&, float, float*, std::uint32_t*);
template double softmax_loss(MatrixView<double>, const double*, const Labels&, double, double*, std::uint32_t*);
template std::uint32_t largest(const float*, int);
template std::uint32_t largest(const double*, int);

}  // namespace layerwise

#pragma once
#include <cmath>
#include <limits>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/matrix.h"
#include "base/random.h"

namespace layerwise {

// A matrix of its own memory; with `share` that part of its elements is drawn from [-1, 1], and the others are zero.
template <typename T>
struct Matrix {
  Matrix(int rows, int cols) : rows(rows), cols(cols), data(static_cast<std::size_t>(rows) * stride_for(cols)) {}
  Matrix(int rows, int cols, double share, std::uint64_t index) : Matrix(rows, cols) {
    std::vector<double> values(data.size()), draws(data.size());
    uniform(values.data(), values.size(), -1, 1, 0, static_cast<std::uint32_t>(Stream::weights), index);
    uniform(draws.data(), draws.size(), 0, 1, 0, static_cast<std::uint32_t>(Stream::weights), index + 100);
    for (std::size_t i = 0; i < values.size(); i++) data[i] = draws[i] < share ? static_cast<T>(values[i]) : T(0);
  }
  MatrixView<T> view() const { return matrix_in(data.data(), rows, cols); }
  MatrixView<const T> in() const { return view(); }

  int rows, cols;
  Buffer<T> data;
};

// Throws where an element of a and b differs by more than twice the rounding of a sum of `terms` products of numbers up to 1.
template <typename T>
void expect_equal(const std::string& what, MatrixView<const T> a, MatrixView<const T> b, int terms) {
  const double most = 2 * (terms + 2.0) * terms * std::numeric_limits<T>::epsilon();
  for (int i = 0; i < a.rows; i++) {
    for (int j = 0; j < a.cols; j++) {
      if (std::fabs(static_cast<double>(a.row(i)[j]) - b.row(i)[j]) <= most) continue;
      throw std::runtime_error(what + " differs between two ways at row " + std::to_string(i) + ", column " + std::to_string(j));
    }
  }
}

}  // namespace layerwise

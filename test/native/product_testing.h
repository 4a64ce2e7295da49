#pragma once
#include <algorithm>

#include "vector_testing.h"

namespace layerwise {

// The largest error of c = before + op(a) b, relative to the bound of so many rounded additions.
template <typename T>
double product_error(bool transposed, const Spaced<T>& a, const Spaced<T>& b, const Spaced<T>* before, const Spaced<T>& c) {
  double worst = c.gaps_untouched() ? 0 : kInfinity<double>;
  for (int i = 0; i < c.rows(); i++) {
    for (int j = 0; j < c.cols(); j++) {
      long double sum = before != nullptr ? before->at(i, j) : 0, size = std::fabs(sum);
      for (int k = 0; k < b.rows(); k++) {
        const long double term = static_cast<long double>(transposed ? a.at(k, i) : a.at(i, k)) * b.at(k, j);
        sum += term;
        size += std::fabs(term);
      }
      if (size == 0 && c.at(i, j) == 0) continue;
      worst = std::max(worst, static_cast<double>(std::fabs(c.at(i, j) - sum) / ((b.rows() + 2) * kEpsilon<T> * size)));
    }
  }
  return worst;
}

// Of its elements that share is not zero.
template <typename T>
Spaced<T> with_zeros(int rows, int cols, int gap, double share, unsigned seed) {
  Spaced<T> x(rows, cols, gap, -1, 1, seed);
  const auto draws = random_vector<double>(std::size_t(rows) * cols, 0, 1, seed + 1);
  for (int i = 0; i < rows; i++) {
    for (int j = 0; j < cols; j++) {
      if (draws[std::size_t(i) * cols + j] >= share) x.at(i, j) = 0;
    }
  }
  return x;
}

}  // namespace layerwise

#pragma once
#include "vector_testing.h"

namespace layerwise {

// The largest error of c = before + op(a) b, relative to the bound of so many rounded additions: in naive_product.cc.
template <typename T>
double product_error(bool transposed, const Spaced<T>& a, const Spaced<T>& b, const Spaced<T>* before, const Spaced<T>& c);

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

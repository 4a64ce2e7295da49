#include <algorithm>

#include "product_testing.h"

namespace layerwise {

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

template double product_error(bool, const Spaced<float>&, const Spaced<float>&, const Spaced<float>*, const Spaced<float>&);
template double product_error(bool, const Spaced<double>&, const Spaced<double>&, const Spaced<double>*, const Spaced<double>&);

}  // namespace layerwise

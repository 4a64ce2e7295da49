#pragma once
#include <cstddef>

#include "base/matrix.h"

namespace layerwise {

// How dense rows are multiplied by weights, forward and back.
enum class RowsWay {
  blas,    // OpenBLAS's gemm
  panels,  // VectorKernels::product
};

// How the gradient of weights is made from deltas and dense rows.
enum class GradientWay {
  blas,       // OpenBLAS's gemm
  registers,  // VectorKernels::transposed_product: both operands are read in place
  strips,     // VectorKernels::wide_gradient: both are laid out first
};

// One way for each product of a layer whose rows lie dense.
struct Ways {
  RowsWay forward;
  RowsWay backward;
  GradientWay gradient;
};

inline bool operator==(const Ways& a, const Ways& b) {
  return a.forward == b.forward && a.backward == b.backward && a.gradient == b.gradient;
}

// out = rows op(weights).
template <typename T>
void multiply(RowsWay way, Transpose form, MatrixView<const T> rows, MatrixView<const T> weights, MatrixView<T> out);

// out = a^T b, or out += a^T b. scratch [gradient_scratch<T>(way)], null where that is 0.
template <typename T>
void multiply_transposed(GradientWay way, MatrixView<const T> a, MatrixView<const T> b, bool add, MatrixView<T> out, T* scratch);
template <typename T>
std::size_t gradient_scratch(GradientWay way);

}  // namespace layerwise

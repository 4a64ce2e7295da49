#include "products/ways.h"

#include "kernels/vector_kernels.h"
#include "products/blas.h"

namespace layerwise {

template <typename T>
void multiply(RowsWay way, Transpose form, MatrixView<const T> rows, MatrixView<const T> weights, MatrixView<T> out) {
  if (way == RowsWay::panels) return vector_kernels<T>().product(form, rows, weights, out);
  gemm<T>(Transpose::no, form, 1, rows, weights, 0, out);
}

template <typename T>
void multiply_transposed(GradientWay way, MatrixView<const T> a, MatrixView<const T> b, bool add, MatrixView<T> out, T* scratch) {
  switch (way) {
    case GradientWay::registers:
      return vector_kernels<T>().transposed_product(a, b, add, out);
    case GradientWay::strips:
      return vector_kernels<T>().wide_gradient(a, b, add, out, scratch);
    default:
      return gemm<T>(Transpose::yes, Transpose::no, 1, a, b, add ? T(1) : T(0), out);
  }
}

template <typename T>
std::size_t gradient_scratch(GradientWay way) {
  return way == GradientWay::strips ? vector_kernels<T>().gradient_scratch : 0;
}

template void multiply(RowsWay, Transpose, MatrixView<const float>, MatrixView<const float>, MatrixView<float>);
template void multiply(RowsWay, Transpose, MatrixView<const double>, MatrixView<const double>, MatrixView<double>);
template void multiply_transposed(GradientWay, MatrixView<const float>, MatrixView<const float>, bool, MatrixView<float>, float*);
template void multiply_transposed(GradientWay, MatrixView<const double>, MatrixView<const double>, bool, MatrixView<double>,
                                  double*);
template std::size_t gradient_scratch<float>(GradientWay);
template std::size_t gradient_scratch<double>(GradientWay);

}  // namespace layerwise

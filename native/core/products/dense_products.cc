#include "products/dense_products.h"

namespace layerwise {

template <typename T>
void DenseProducts<T>::forward(const LayerInput<T>& input, MatrixView<T> out) {
  multiply(ways_.forward, layer_.forward_form(), std::get<MatrixView<const T>>(input), weights_, out);
}

template <typename T>
void DenseProducts<T>::backward(MatrixView<const T> d, MatrixView<T> before) const {
  multiply(ways_.backward, layer_.backward_form(), d, weights_, before);
}

template <typename T>
void DenseProducts<T>::gradient(MatrixView<const T> d, const LayerInput<T>& input, int first, bool add, MatrixView<T> out,
                                T* scratch) const {
  const MatrixView<const T> rows = std::get<MatrixView<const T>>(input);
  const MatrixView<const T> a = layer_.transposed ? rows : d, b = layer_.transposed ? d : rows;
  multiply_transposed(ways_.gradient, a.block(0, first, a.rows, out.rows), b, add, out, scratch);
}

template class DenseProducts<float>;
template class DenseProducts<double>;

}  // namespace layerwise

#include "products/indexed_products.h"

#include <algorithm>

namespace layerwise {
namespace {

// Rows of W^T that one thread makes at a time.
constexpr int kStripRows = 256;

// Sums of a gradient that are made together: so many columns of so many units, which are then written row by row.
constexpr int kColumns = 16, kUnits = 64;

}  // namespace

template <typename T>
IndexedProducts<T>::IndexedProducts(const DenseLayer& layer, const Ways& ways)
    : DenseProducts<T>(layer, ways),
      kernels_(vector_kernels<T>()),
      transposed_(layer.transposed ? 0 : static_cast<std::size_t>(layer.inputs) * stride_for(layer.outputs)),
      strips_(layer.transposed ? Cut{} : Cut::at_most(layer.inputs, kStripRows)),
      made_(strips_.count) {}

template <typename T>
void IndexedProducts<T>::prepare(const T* theta) {
  DenseProducts<T>::prepare(theta);
  made_.renew();
}

template <typename T>
void IndexedProducts<T>::forward(const LayerInput<T>& input, MatrixView<T> out) {
  const IndexedRows<T>* rows = std::get_if<IndexedRows<T>>(&input);
  if (rows == nullptr) return DenseProducts<T>::forward(input, out);
  made_.complete([&](int strip) { make_strip(strip); });
  const MatrixView<const T> w = transposed();
  for (int i = 0; i < out.rows; i++) {
    T* z = out.row(i);
    std::fill(z, z + out.cols, T(0));
    for (std::size_t k = rows->starts[i]; k < rows->starts[i + 1]; k++) {
      kernels_.axpy(rows->values[k], w.row(static_cast<int>(rows->columns[k])), z, static_cast<std::size_t>(out.cols));
    }
  }
}

template <typename T>
void IndexedProducts<T>::gradient(MatrixView<const T> d, const LayerInput<T>& input, int first, bool add, MatrixView<T> out,
                                  T* scratch) const {
  const IndexedRows<T>* rows = std::get_if<IndexedRows<T>>(&input);
  if (rows == nullptr) return DenseProducts<T>::gradient(d, input, first, add, out, scratch);
  const IndexedColumns<T>& lists = *rows->by_column;
  T sums[kColumns * kUnits];
  for (int unit = 0; unit < out.rows; unit += kUnits) {
    const int units = std::min(kUnits, out.rows - unit);
    for (int u = unit; !add && u < unit + units; u++) std::fill(out.row(u), out.row(u) + out.cols, T(0));
    for (int column = 0; column < lists.count; column += kColumns) {
      const int columns = std::min(kColumns, lists.count - column);
      for (int c = 0; c < columns; c++) {
        T* sum = sums + c * units;
        std::fill(sum, sum + units, T(0));
        for (std::size_t k = lists.starts[column + c]; k < lists.starts[column + c + 1]; k++) {
          const T* deltas = d.row(static_cast<int>(lists.rows[k])) + first + unit;
          kernels_.axpy(lists.values[k], deltas, sum, static_cast<std::size_t>(units));
        }
      }
      for (int u = 0; u < units; u++) {
        T* to = out.row(unit + u);
        for (int c = 0; c < columns; c++) to[lists.columns[column + c]] += sums[c * units + u];
      }
    }
  }
}

template <typename T>
MatrixView<const T> IndexedProducts<T>::transposed() const {
  const DenseLayer& layer = this->layer();
  return layer.transposed ? this->weights() : matrix_in(transposed_.data(), layer.inputs, layer.outputs);
}

template <typename T>
void IndexedProducts<T>::make_strip(int strip) {
  const DenseLayer& layer = this->layer();
  const int begin = strips_.begin(strip), rows = strips_.length(strip);
  kernels_.transpose(this->weights().block(0, begin, layer.outputs, rows),
                     matrix_in(transposed_.data(), layer.inputs, layer.outputs).rows_from(begin, rows));
}

template class IndexedProducts<float>;
template class IndexedProducts<double>;

}  // namespace layerwise

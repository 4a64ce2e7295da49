#include "products/grouped_products.h"

namespace layerwise {

template <typename T>
GroupedProducts<T>::GroupedProducts(const DenseLayer& layer, const Ways& ways)
    : DenseProducts<T>(layer, ways),
      kernels_(vector_kernels<T>()),
      panels_(kernels_.panel_elements(layer.outputs, layer.inputs)),
      made_(kernels_.panel_count(layer.outputs)) {}

template <typename T>
void GroupedProducts<T>::prepare(const T* theta) {
  DenseProducts<T>::prepare(theta);
  made_.renew();
}

template <typename T>
void GroupedProducts<T>::forward(const LayerInput<T>& input, MatrixView<T> out) {
  const GroupedRows<T>* groups = std::get_if<GroupedRows<T>>(&input);
  if (groups == nullptr) return DenseProducts<T>::forward(input, out);
  made_.complete([&](int panel) { kernels_.transpose_panel(this->weights(), panel, panels_.data()); });
  for (int b = 0, row = 0; b < groups->count; b++) {
    const RowGroups<T>& block = groups->blocks[b];
    kernels_.grouped_product(block, panels_.data(), out.rows_from(row, block.rows));
    row += block.rows;
  }
}

template <typename T>
void GroupedProducts<T>::gradient(MatrixView<const T> d, const LayerInput<T>& input, int first, bool add, MatrixView<T> out,
                                  T* scratch) const {
  const GroupedRows<T>* groups = std::get_if<GroupedRows<T>>(&input);
  if (groups == nullptr) return DenseProducts<T>::gradient(d, input, first, add, out, scratch);
  kernels_.grouped_gradient(groups->blocks, groups->count, d.block(0, first, d.rows, out.rows), add, out);
}

template class GroupedProducts<float>;
template class GroupedProducts<double>;

}  // namespace layerwise

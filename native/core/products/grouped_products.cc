#include "products/grouped_products.h"

#include <thread>

namespace layerwise {

template <typename T>
GroupedProducts<T>::GroupedProducts(const DenseLayer& layer, const Ways& ways)
    : DenseProducts<T>(layer, ways),
      kernels_(vector_kernels<T>()),
      panels_(kernels_.panel_elements(layer.outputs, layer.inputs)),
      panel_count_(kernels_.panel_count(layer.outputs)) {}

template <typename T>
void GroupedProducts<T>::prepare(const T* theta) {
  DenseProducts<T>::prepare(theta);
  taken_.store(0, std::memory_order_relaxed);
  made_.store(0, std::memory_order_relaxed);
}

template <typename T>
void GroupedProducts<T>::forward(const LayerInput<T>& input, MatrixView<T> out) {
  const GroupedRows<T>* groups = std::get_if<GroupedRows<T>>(&input);
  if (groups == nullptr) return DenseProducts<T>::forward(input, out);
  make_panels();
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

template <typename T>
void GroupedProducts<T>::make_panels() {
  const auto all_made = [&] { return made_.load(std::memory_order_acquire) == panel_count_; };
  while (!all_made()) {
    const int panel = taken_.fetch_add(1, std::memory_order_relaxed);
    if (panel >= panel_count_) break;
    kernels_.transpose_panel(this->weights(), panel, panels_.data());
    made_.fetch_add(1, std::memory_order_release);
  }
  while (!all_made()) std::this_thread::yield();
}

template class GroupedProducts<float>;
template class GroupedProducts<double>;

}  // namespace layerwise

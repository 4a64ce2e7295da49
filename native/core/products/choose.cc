#include "products/choose.h"

#include <stdexcept>

#include "products/dense_products.h"
#include "products/grouped_products.h"
#include "products/indexed_products.h"
#include "products/thresholds.h"

namespace layerwise {
namespace {

const Thresholds& thresholds(VectorLevel level, std::size_t element) {
  for (const ThresholdsOf& row : kThresholds) {
    if (row.level == level && row.element == element) return row.thresholds;
  }
  throw std::logic_error("no thresholds for this vector level and precision");
}

// Of the product rows op(W), W as it is stored.
RowsWay rows_way(Transpose form, const DenseLayer& layer, std::size_t element, const Thresholds& limits) {
  const auto stride = static_cast<std::size_t>(layer.transposed ? layer.outputs : layer.inputs);
  const bool pages_apart = form == Transpose::no && stride * element % kPageBytes == 0;
  const std::size_t most = pages_apart ? limits.panel_weights_pages_apart : limits.panel_weights;
  return layer.weight_count() <= most ? RowsWay::panels : RowsWay::blas;
}

// The gradient that a layer stored transposed adds was measured by OpenBLAS only.
GradientWay gradient_way(const DenseLayer& layer, bool small, const Thresholds& limits) {
  if (small) return GradientWay::registers;
  return limits.strips && !layer.transposed ? GradientWay::strips : GradientWay::blas;
}

}  // namespace

bool is_small(const DenseLayer& layer, std::size_t element, VectorLevel level) {
  return layer.owns_weights() && !layer.transposed && layer.weight_count() <= thresholds(level, element).small_weights;
}

Ways choose_ways(const DenseLayer& layer, std::size_t element, VectorLevel level) {
  const Thresholds& limits = thresholds(level, element);
  return {rows_way(layer.forward_form(), layer, element, limits), rows_way(layer.backward_form(), layer, element, limits),
          gradient_way(layer, is_small(layer, element, level), limits)};
}

bool may_be_grouped(const DenseLayer& layer, int rows, std::size_t element, VectorLevel level) {
  return rows >= thresholds(level, element).fewest_grouped_rows && !is_small(layer, element, level) && !layer.transposed;
}

bool groups_are_faster(double kept_share, std::size_t element, VectorLevel level) {
  return kept_share <= thresholds(level, element).most_kept;
}

bool zeros_are_skipped(int zeros, int inputs, std::size_t element, VectorLevel level) {
  return zeros > inputs * thresholds(level, element).fewest_zeros;
}

template <typename T>
std::unique_ptr<Products<T>> choose_products(const DenseLayer& layer, InputKind kind) {
  const Ways ways = choose_ways(layer, sizeof(T));
  if (kind == InputKind::grouped) return std::make_unique<GroupedProducts<T>>(layer, ways);
  if (kind == InputKind::indexed) return std::make_unique<IndexedProducts<T>>(layer, ways);
  return std::make_unique<DenseProducts<T>>(layer, ways);
}

template <typename T>
std::vector<std::unique_ptr<Products<T>>> choose_products(const std::vector<DenseLayer>& layers) {
  std::vector<std::unique_ptr<Products<T>>> products;
  for (const DenseLayer& layer : layers) products.push_back(choose_products<T>(layer, InputKind::dense));
  return products;
}

template std::unique_ptr<Products<float>> choose_products(const DenseLayer&, InputKind);
template std::unique_ptr<Products<double>> choose_products(const DenseLayer&, InputKind);
template std::vector<std::unique_ptr<Products<float>>> choose_products(const std::vector<DenseLayer>&);
template std::vector<std::unique_ptr<Products<double>>> choose_products(const std::vector<DenseLayer>&);

}  // namespace layerwise

#pragma once
#include <cstddef>
#include <memory>
#include <vector>

#include "kernels/vector_kernels.h"
#include "products/dense_layer.h"
#include "products/products.h"
#include "products/ways.h"

// How products are made is chosen here and nowhere else, by the table in thresholds.h: from shapes, the kind of input, precision
// and vector level, never from the number of threads. `element`: the bytes of one, 4 or 8.
namespace layerwise {

// The products of one layer whose input is of that kind. Of a layer whose input may be grouped or indexed it may also lie dense.
template <typename T>
std::unique_ptr<Products<T>> choose_products(const DenseLayer& layer, InputKind kind);

// Those of each layer of a network whose inputs lie dense.
template <typename T>
std::vector<std::unique_ptr<Products<T>>> choose_products(const std::vector<DenseLayer>& layers);

// The way of each product of a layer whose input lies dense.
Ways choose_ways(const DenseLayer& layer, std::size_t element, VectorLevel level = vector_level());

// Whether a layer has so few weights that its gradient is over before operands are laid out. It is made by row blocks then.
bool is_small(const DenseLayer& layer, std::size_t element, VectorLevel level = vector_level());

// Whether so many rows of a layer's input may come in groups.
bool may_be_grouped(const DenseLayer& layer, int rows, std::size_t element, VectorLevel level = vector_level());

// Whether products of groups that keep such a share of their columns are faster than those of dense rows.
bool groups_are_faster(double kept_share, std::size_t element, VectorLevel level = vector_level());

// Whether a single row with so many zeros is faster through the rows of W^T that it needs than through all of W.
bool zeros_are_skipped(int zeros, int inputs, std::size_t element, VectorLevel level = vector_level());

}  // namespace layerwise

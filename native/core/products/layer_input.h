#pragma once
#include <variant>

#include "base/matrix.h"
#include "kernels/row_groups.h"
#include "products/indexed_rows.h"

namespace layerwise {

// The forms in which the rows that a layer takes in may lie.
enum class InputKind { dense, grouped, indexed };

// Rows without most of their zeros, in groups: the rows of `count` blocks, one block after another. Owns nothing.
template <typename T>
struct GroupedRows {
  const RowGroups<T>* blocks = nullptr;
  int count = 0;
};

// The rows that a layer takes in. Another form is one more alternative here, one more InputKind, and the Products that take it.
// Owns nothing.
template <typename T>
using LayerInput = std::variant<MatrixView<const T>, GroupedRows<T>, IndexedRows<T>>;

}  // namespace layerwise

#pragma once
#include "products/dense_layer.h"
#include "products/indexed_rows.h"

namespace layerwise {

// z [outputs] = W x of one row x [inputs]. `transposed` is W^T [inputs, outputs], a copy that the caller keeps, or null; rows of
// it whose x is zero are not read. A layer whose matrix is stored transposed needs none.
template <typename T>
void multiply_row(const DenseLayer& layer, const T* theta, const T* transposed, const T* x, T* z);

// The same of a row that comes as an index list; x has one row.
template <typename T>
void multiply_indexed_row(const DenseLayer& layer, const T* theta, const T* transposed, const IndexedRows<T>& x, T* z);

}  // namespace layerwise

#pragma once
#include "network/network.h"
#include "rows/row_source.h"

namespace layerwise {

// Wrong: the row; its answer, which cannot be held; the indices of a sparse row.
enum class RowEnd { finished, not_finite, too_large, wrong_index };

// The first row of a source on the calling thread, without the pool: out [outputs]. `transposed` is what transpose_first_layer
// made of theta. Where `error` is not null it receives the sum of squared differences between out and the row.
template <typename T>
RowEnd forward_row(const Network& network, const T* theta, const T* transposed, const RowSource<T>& row, T* out,
                   double* error = nullptr);

// transposed [inputs, outputs] = W^T of the first layer, or nothing where it is stored so: whoever takes many single rows through
// it keeps it.
template <typename T>
void transpose_first_layer(const Network& network, const T* theta, T* transposed);

}  // namespace layerwise

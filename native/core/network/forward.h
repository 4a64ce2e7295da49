#pragma once
#include "base/stop_flag.h"
#include "base/thread_pool.h"
#include "network/network.h"
#include "rows/gather.h"
#include "rows/scan.h"

namespace layerwise {

// What the forward pass leaves of each row.
enum class ForwardResult {
  outputs,  // out [rows, outputs]
  squares,  // out [rows, outputs]: squared differences from the row itself
  errors,   // errors [rows]: their sums
  classes   // classes [rows]: which output is largest
};

template <typename T>
struct ForwardRequest {
  const Network* network = nullptr;
  const T* theta = nullptr;
  Rows rows;
  ForwardResult result = ForwardResult::outputs;
  T* out = nullptr;
  double* errors = nullptr;
  std::uint32_t* classes = nullptr;
  ColumnScaling unscale;  // of outputs: undone in float64, then rounded to T
};

// Rows through the layers, block by block; intermediate layers take bounded memory. Returns false if stop was raised. A value
// that is not finite ends it with `bad` set to the first such place, and so does an answer that cannot be held: in T, or errors
// in float64. Rows whose sums overflow on the way to one that can be held are computed again by exact_row.
template <typename T>
bool forward(Team& team, const ForwardRequest<T>& request, const StopFlag& stop, FirstBadRow& bad);

// One row on the calling thread, without the pool; `transposed` is what transpose_first_layer made of theta. Where `error` is not
// null it receives the sum of squared differences between out and the row.
enum class RowEnd { finished, not_finite, too_large };  // the row; its answer, which cannot be held

template <typename T>
RowEnd forward_row(const Network& network, const T* theta, const T* transposed, const Rows& row, T* out, double* error = nullptr);

// transposed [inputs, outputs] = W^T of the first layer, or nothing where it is stored so: whoever takes many single rows through
// it keeps it.
template <typename T>
void transpose_first_layer(const Network& network, const T* theta, T* transposed);

double forward_flops(const Network& network, int rows);

}  // namespace layerwise

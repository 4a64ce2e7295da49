#pragma once
#include "base/stop_flag.h"
#include "base/thread_pool.h"
#include "network/answers.h"
#include "network/network.h"
#include "rows/row_source.h"
#include "rows/scan.h"

namespace layerwise {

template <typename T>
struct ForwardRequest : Answers<T> {
  const Network* network = nullptr;
  const T* theta = nullptr;
  RowSource<T>* rows = nullptr;
};

// Rows through the layers, block by block; intermediate layers take bounded memory. Returns false if stop was raised. A value
// that is not finite ends it with `bad` set to the first such place, and so does an answer that cannot be held: in T, or errors
// in float64. Rows whose sums overflow on the way to one that can be held are computed again by exact_row.
template <typename T>
bool forward(Team& team, const ForwardRequest<T>& request, const StopFlag& stop, FirstBadRow& bad);

double forward_flops(const Network& network, int rows);

}  // namespace layerwise

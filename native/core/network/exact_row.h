#pragma once
#include <vector>

#include "network/network.h"

namespace layerwise {

// The outputs of one row x [inputs], computed in float64 by plain loops whose factors are scaled by powers of two: for rows whose
// sums overflow in T, or in float64, although what comes of them may not. An element of out [outputs] that float64 cannot hold is
// infinite or NaN. On the calling thread; allocates.
template <typename T>
void exact_row(const Network& network, const T* theta, const T* x, std::vector<double>& out);

}  // namespace layerwise

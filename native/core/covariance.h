#pragma once
#include "gather.h"
#include "stop_flag.h"
#include "thread_pool.h"

namespace layerwise {

// mean [n] of each column, in float64 over blocks of rows. Returns false if stop was raised.
bool column_means(Team& team, const Rows& rows, double* mean, const StopFlag& stop);

// mean [n] and covariance [n, n] = sum of (x - mean)(x - mean)^T / m, in float64 over blocks of rows, so that the data is never
// held twice. Two passes: the mean first, since sums of squares less squares of sums lose digits. Returns false if stop was
// raised.
bool covariance(Team& team, const Rows& rows, double* mean, double* covariance, const StopFlag& stop);

}  // namespace layerwise

#pragma once
#include <vector>

#include "base/stop_flag.h"
#include "base/thread_pool.h"
#include "rows/gather.h"

namespace layerwise {

// The mean of each column in two parts: `rest` is what rounding took from `mean`. Beside a large offset that is much of a spread.
struct ColumnMeans {
  explicit ColumnMeans(int n) : mean(n), rest(n) {}

  // x [rows, n] becomes (x - mean) * scale.
  void centre(MatrixView<double> x) const;

  std::vector<double> mean, rest;  // [n]
  // A power of two that keeps squares of deviations within float64: 1 unless the largest |x| is outside 2^-300 … 2^300.
  double scale = 1;
};

// In float64 over blocks of rows, the rounding of sums carried along. Returns false if stop was raised.
bool column_means(Team& team, const Rows& rows, ColumnMeans& means, const StopFlag& stop);

// mean [n] and covariance [n, n] = scale^2 * sum of (x - mean)(x - mean)^T / m, in float64 over blocks of rows, so that the data
// is never held twice. Two passes: the mean first, since sums of squares less squares of sums lose digits. Returns false if stop
// was raised.
bool covariance(Team& team, const Rows& rows, double* mean, double* covariance, double& scale, const StopFlag& stop);

}  // namespace layerwise

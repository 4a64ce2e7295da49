#pragma once
#include <vector>

#include "base/stop_flag.h"
#include "base/thread_pool.h"
#include "rows/row_source.h"

namespace layerwise {

// The mean of each column in two parts: `rest` is the rounding error of `mean`. With a large offset it can be as large as the
// spread.
struct ColumnMeans {
  explicit ColumnMeans(int n) : mean(n), rest(n) {}

  // x [rows, n], the rows at positions first … of the source, becomes (x - mean) * scale, and where the source is weighted each
  // row times the root of its weight: a product of two such is weighted once.
  void centre(const RowSource<double>& rows, int first, MatrixView<double> x) const;

  std::vector<double> mean, rest;  // [n]
  // A power of two that keeps squares of deviations within float64: 1 unless the largest |x| is outside 2^-300 … 2^300.
  double scale = 1;
};

// In float64 over blocks of rows, each row times its weight, with compensated sums. Returns false if stop was raised.
bool column_means(Team& team, RowSource<double>& rows, ColumnMeans& means, const StopFlag& stop);

// mean [n] and covariance [n, n] = scale^2 * sum of weight (x - mean)(x - mean)^T / m, the weights' mean being 1, in float64 over
// blocks of rows, so that the data is never copied as a whole. Two passes, the mean first: sums of squares minus squares of sums
// lose digits. Returns false if stop was raised.
bool covariance(Team& team, RowSource<double>& rows, double* mean, double* covariance, double& scale, const StopFlag& stop);

}  // namespace layerwise

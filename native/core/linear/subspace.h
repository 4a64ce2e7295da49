#pragma once
#include "base/stop_flag.h"
#include "base/thread_pool.h"
#include "rows/row_source.h"

namespace layerwise {

// The leading eigenvectors of the covariance of rows.
struct LeadingDirections {
  double* mean;     // [cols]
  double* values;   // [count], falling
  double* vectors;  // [count, cols], unit rows, the entry of largest absolute value in each positive
  int count;        // 1 … cols / 2
  double total;     // the trace of the covariance: the sum of all its eigenvalues
  double scale;     // values and total are those of the deviations times this power of two: ColumnMeans::scale
};

constexpr double kSubspaceTolerance = 1e-12;
constexpr int kSubspaceRounds = 300;

enum class SubspaceEnd { converged, stopped, stalled };

// For rows so wide that their covariance would not fit, or its decomposition would take too long: block subspace iteration. Each
// round widens the subspace by products with the covariance, C v = sum of (x - mean)(x - mean)^T v / m, to a block Krylov space,
// and keeps the leading Ritz vectors of that (Golub & Van Loan, section 10.3; Musco & Musco 2015, algorithm 2, restarted). It
// ends when |C v - value v| <= kSubspaceTolerance times the largest value for each of the `count` vectors, or stalls after
// `most_rounds` rounds, if the values at the cut are too close together to be separated. In float64; starts from fixed random
// numbers; the same bits at any number of threads.
SubspaceEnd leading_directions(Team& team, RowSource<double>& rows, LeadingDirections& out, const StopFlag& stop,
                               int most_rounds = kSubspaceRounds);

}  // namespace layerwise

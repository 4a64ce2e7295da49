#pragma once
#include <functional>

#include "base/thread_pool.h"

namespace layerwise {

// Eigen-decomposition of a symmetric n x n matrix in float64, n up to about 2,000: Householder tridiagonalisation, then implicit
// QL with Wilkinson shifts. The matrix is overwritten: row i becomes the unit eigenvector of values[i], values falling, the entry
// of largest absolute value in each vector positive. Returns false, with matrix and values unspecified, if an entry is not
// finite, if QL did not converge (never seen on finite input) or if should_stop() returned true. Errors are small relative to the
// largest eigenvalue, not to each: a small one is accurate to about epsilon times the largest. Memory: n * n float64 besides the
// matrix. The same bits at any number of threads.
bool symmetric_eigen(Team& team, double* matrix, int n, double* values, const std::function<bool()>& should_stop);

}  // namespace layerwise

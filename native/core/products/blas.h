#pragma once
#include <stdexcept>
#include <string>

#include "base/matrix.h"

namespace layerwise {

// Thrown where the OpenBLAS that was loaded would compute wrongly or slowly under our threads.
struct BlasError : std::runtime_error {
  using std::runtime_error::runtime_error;
};

// Makes OpenBLAS single-threaded for the process and ends its idle workers. Call once, before any product; throws BlasError for a
// build that is serial (no locks: wrong products from several threads) or on OpenMP (its setting does not reach our threads).
// Where the kernel that OpenBLAS takes by itself is less than this processor can do, or multiplies wrongly, another is taken;
// throws BlasError where none is right, or the one that OPENBLAS_CORETYPE names is not.
void blas_start();

// What runs: "0.3.21" and the processor kernel, e.g. "SkylakeX".
std::string blas_version();
std::string blas_kernel();
// Why this kernel, in words.
std::string blas_kernel_reason();

// C = alpha op(A) op(B) + beta C on the calling thread; shapes after op: A [m, k], B [k, n], C [m, n], all row-major.
template <typename T>
void gemm(Transpose trans_a, Transpose trans_b, T alpha, MatrixView<const T> a, MatrixView<const T> b, T beta, MatrixView<T> c);

}  // namespace layerwise

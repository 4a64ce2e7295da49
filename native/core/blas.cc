#include "blas.h"

#include <cstring>
#include <mutex>

// The few symbols we use, declared here so that no distribution's header layout matters. A wheel's symbols carry a prefix.
#ifndef LAYERWISE_BLAS_PREFIX
#define LAYERWISE_BLAS_PREFIX
#endif
#define LAYERWISE_JOIN_(a, b) a##b
#define LAYERWISE_JOIN(a, b) LAYERWISE_JOIN_(a, b)
#define BLAS(name) LAYERWISE_JOIN(LAYERWISE_BLAS_PREFIX, name)

extern "C" {
void BLAS(cblas_sgemm)(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
void BLAS(cblas_dgemm)(int, int, int, int, int, int, double, const double*, int, const double*, int, double, double*, int);
void BLAS(cblas_sgemv)(int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
void BLAS(cblas_dgemv)(int, int, int, int, double, const double*, int, const double*, int, double, double*, int);
void BLAS(openblas_set_num_threads)(int);
int BLAS(openblas_get_parallel)(void);
char* BLAS(openblas_get_config)(void);
char* BLAS(openblas_get_corename)(void);
#if !defined(_WIN32)
// Ends the idle workers. Hidden in some builds, which are then loaded with OPENBLAS_NUM_THREADS=1 and never start any.
int blas_thread_shutdown_(void) __attribute__((weak));
#endif
}

namespace layerwise {
namespace {

constexpr int kRowMajor = 101, kNoTrans = 111, kTrans = 112;

int cblas(Transpose transpose) { return transpose == Transpose::yes ? kTrans : kNoTrans; }

std::once_flag started;

}  // namespace

void blas_start() {
  // A throw leaves the flag unset, so every later caller is refused again.
  std::call_once(started, [] {
    const std::string config = BLAS(openblas_get_config)();
    const int parallel = BLAS(openblas_get_parallel)();
    if (parallel == 0 || config.find("SINGLE_THREADED") != std::string::npos) {
      throw BlasError("this OpenBLAS is a serial build (" + config +
                      "): it has no locks, and products from several threads come out wrong; the pthread build is needed");
    }
    if (parallel != 1) {
      throw BlasError("this OpenBLAS is an OpenMP build (" + config +
                      "): its thread setting does not reach our threads; the pthread build is needed");
    }
    BLAS(openblas_set_num_threads)(1);
#if !defined(_WIN32)
    // After this the setter must not be called again: it would start the workers anew.
    if (blas_thread_shutdown_ != nullptr) blas_thread_shutdown_();
#endif
  });
}

std::string blas_version() {
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …"
  const std::string config = BLAS(openblas_get_config)();
  const auto from = config.find(' ');
  return from == std::string::npos ? config : config.substr(from + 1, config.find(' ', from + 1) - from - 1);
}

std::string blas_kernel() { return BLAS(openblas_get_corename)(); }

template <>
void gemm(Transpose trans_a, Transpose trans_b, float alpha, MatrixView<const float> a, MatrixView<const float> b, float beta,
          MatrixView<float> c) {
  const int k = trans_a == Transpose::yes ? a.rows : a.cols;
  BLAS(cblas_sgemm)(kRowMajor, cblas(trans_a), cblas(trans_b), c.rows, c.cols, k, alpha, a.data, static_cast<int>(a.stride),
                    b.data, static_cast<int>(b.stride), beta, c.data, static_cast<int>(c.stride));
}

template <>
void gemm(Transpose trans_a, Transpose trans_b, double alpha, MatrixView<const double> a, MatrixView<const double> b, double beta,
          MatrixView<double> c) {
  const int k = trans_a == Transpose::yes ? a.rows : a.cols;
  BLAS(cblas_dgemm)(kRowMajor, cblas(trans_a), cblas(trans_b), c.rows, c.cols, k, alpha, a.data, static_cast<int>(a.stride),
                    b.data, static_cast<int>(b.stride), beta, c.data, static_cast<int>(c.stride));
}

template <>
void matrix_vector(MatrixView<const float> a, const float* x, float* y) {
  BLAS(cblas_sgemv)(kRowMajor, kNoTrans, a.rows, a.cols, 1, a.data, static_cast<int>(a.stride), x, 1, 0, y, 1);
}

template <>
void matrix_vector(MatrixView<const double> a, const double* x, double* y) {
  BLAS(cblas_dgemv)(kRowMajor, kNoTrans, a.rows, a.cols, 1, a.data, static_cast<int>(a.stride), x, 1, 0, y, 1);
}

}  // namespace layerwise

#include "blas.h"

#include <cstring>
#include <mutex>
#include <vector>

// The few symbols we use, declared here so that no distribution's header layout matters. A wheel's symbols carry a prefix.
#ifndef LAYERWISE_BLAS_PREFIX
#define LAYERWISE_BLAS_PREFIX
#endif
#define LAYERWISE_JOIN_(a, b) a##b
#define LAYERWISE_JOIN(a, b) LAYERWISE_JOIN_(a, b)
#define BLAS_SYMBOL(name) LAYERWISE_JOIN(LAYERWISE_BLAS_PREFIX, name)

extern "C" {
void BLAS_SYMBOL(cblas_sgemm)(int, int, int, int, int, int, float, const float*, int, const float*, int, float, float*, int);
void BLAS_SYMBOL(cblas_dgemm)(int, int, int, int, int, int, double, const double*, int, const double*, int, double, double*, int);
void BLAS_SYMBOL(openblas_set_num_threads)(int);
int BLAS_SYMBOL(openblas_get_parallel)(void);
char* BLAS_SYMBOL(openblas_get_config)(void);
char* BLAS_SYMBOL(openblas_get_corename)(void);
#if !defined(_WIN32) && !defined(LAYERWISE_BLAS_FILE)
// Ends the idle workers. Hidden in some builds, which are then loaded with OPENBLAS_NUM_THREADS=1 and never start any.
int blas_thread_shutdown_(void) __attribute__((weak));
#endif
}

// LAYERWISE_BLAS_FILE, where it is defined, names the file beside the addon that has them; else they are linked.
#ifdef LAYERWISE_BLAS_FILE
#include "blas_file.h"
#define LAYERWISE_TEXT_(symbol) #symbol
#define LAYERWISE_TEXT(symbol) LAYERWISE_TEXT_(symbol)
#define BLAS(name)                                                                               \
  ([] {                                                                                          \
    static const auto found = reinterpret_cast<decltype(&BLAS_SYMBOL(name))>(                    \
        layerwise::blas_file::function(LAYERWISE_BLAS_FILE, LAYERWISE_TEXT(BLAS_SYMBOL(name)))); \
    return found;                                                                                \
  }())
#else
#define BLAS(name) BLAS_SYMBOL(name)
#endif

namespace layerwise {
namespace {

constexpr int kRowMajor = 101, kNoTrans = 111, kTrans = 112;

int cblas(Transpose transpose) { return transpose == Transpose::yes ? kTrans : kNoTrans; }

std::once_flag started;

// Whether op(A) op(B) of these shapes is what the plain loop gives. All entries are small whole numbers: the right answer is
// exact in any order of summation.
template <typename T>
bool multiplies(Transpose trans_a, Transpose trans_b, int m, int n, int k) {
  std::vector<T> a(static_cast<std::size_t>(m) * k), b(static_cast<std::size_t>(k) * n), c(static_cast<std::size_t>(m) * n);
  for (std::size_t i = 0; i < a.size(); i++) a[i] = static_cast<T>(static_cast<int>(i * 7 % 11) - 5);
  for (std::size_t i = 0; i < b.size(); i++) b[i] = static_cast<T>(static_cast<int>(i * 5 % 13) - 6);
  const bool at = trans_a == Transpose::yes, bt = trans_b == Transpose::yes;
  const MatrixView<const T> a_view{a.data(), at ? k : m, at ? m : k};
  const MatrixView<const T> b_view{b.data(), bt ? n : k, bt ? k : n};
  gemm<T>(trans_a, trans_b, 1, a_view, b_view, 0, MatrixView<T>{c.data(), m, n});
  for (int i = 0; i < m; i++) {
    for (int j = 0; j < n; j++) {
      T sum = 0;
      for (int l = 0; l < k; l++) sum += a[at ? l * m + i : i * k + l] * b[bt ? j * k + l : l * n + j];
      if (c[static_cast<std::size_t>(i) * n + j] != sum) return false;
    }
  }
  return true;
}

// The three forms that training uses, of a narrow and a wider layer.
template <typename T>
bool multiplies() {
  for (int width : {5, 37}) {
    if (!multiplies<T>(Transpose::no, Transpose::yes, 50, width, 12)) return false;
    if (!multiplies<T>(Transpose::no, Transpose::no, 50, 12, width)) return false;
    if (!multiplies<T>(Transpose::yes, Transpose::no, width, 12, 50)) return false;
  }
  return true;
}

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
#if !defined(_WIN32) && !defined(LAYERWISE_BLAS_FILE)
    // After this the setter must not be called again: it would start the workers anew.
    if (blas_thread_shutdown_ != nullptr) blas_thread_shutdown_();
#endif
    // Kernels for new processors have been wrong before: one for Arm's SME, in 0.3.34, under emulation.
    if (!multiplies<float>() || !multiplies<double>()) {
      throw BlasError("OpenBLAS's kernel " + blas_kernel() +
                      " multiplies wrongly on this processor; the environment variable OPENBLAS_CORETYPE chooses another");
    }
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

}  // namespace layerwise

#include "products/blas.h"

#include <algorithm>
#include <mutex>
#include <type_traits>
#include <vector>

#include "base/environment.h"
#include "products/blas_kernel.h"

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
// Hidden in some builds, where they are null here.
int blas_thread_shutdown_(void) __attribute__((weak));   // ends the idle workers
void gotoblas_dynamic_quit(void) __attribute__((weak));  // forgets the kernel
void gotoblas_dynamic_init(void) __attribute__((weak));  // chooses one, by the environment or the processor, where there is none
#endif
}

// LAYERWISE_BLAS_FILE, where it is defined, names the file beside the addon that has them; else they are linked.
#ifdef LAYERWISE_BLAS_FILE
#include "products/blas_file.h"
#define LAYERWISE_TEXT_(symbol) #symbol
#define LAYERWISE_TEXT(symbol) LAYERWISE_TEXT_(symbol)
#define BLAS(name) functions.name
#else
#define BLAS(name) BLAS_SYMBOL(name)
#endif

namespace layerwise {
namespace {

constexpr int kRowMajor = 101, kNoTrans = 111, kTrans = 112;

int cblas(Transpose transpose) { return transpose == Transpose::yes ? kTrans : kNoTrans; }

std::once_flag started;
std::string kernel_reason;  // written while starting

#ifdef LAYERWISE_BLAS_FILE

struct Functions {
  decltype(&BLAS_SYMBOL(cblas_sgemm)) cblas_sgemm;
  decltype(&BLAS_SYMBOL(cblas_dgemm)) cblas_dgemm;
  decltype(&BLAS_SYMBOL(openblas_set_num_threads)) openblas_set_num_threads;
  decltype(&BLAS_SYMBOL(openblas_get_parallel)) openblas_get_parallel;
  decltype(&BLAS_SYMBOL(openblas_get_config)) openblas_get_config;
  decltype(&BLAS_SYMBOL(openblas_get_corename)) openblas_get_corename;
};
Functions functions;  // of the file that is open

// Opens the file for the first time, or again with this kernel, once nobody computes; empty: the one that OpenBLAS takes by
// itself.
void open_library(const std::string& kernel) {
  static blas_file::Handle file = nullptr;
  file = blas_file::open_anew(file, LAYERWISE_BLAS_FILE, kernel);
  const auto set = [](auto& function, const char* name) {
    function =
        reinterpret_cast<std::remove_reference_t<decltype(function)>>(blas_file::function(file, LAYERWISE_BLAS_FILE, name));
  };
#define LAYERWISE_SET(name) set(functions.name, LAYERWISE_TEXT(BLAS_SYMBOL(name)))
  LAYERWISE_SET(cblas_sgemm);
  LAYERWISE_SET(cblas_dgemm);
  LAYERWISE_SET(openblas_set_num_threads);
  LAYERWISE_SET(openblas_get_parallel);
  LAYERWISE_SET(openblas_get_config);
  LAYERWISE_SET(openblas_get_corename);
#undef LAYERWISE_SET
}

// Opens it for the first time; returns the kernel that it was told to take. None where the user has a wish.
std::string load(const std::string& wish) {
  const std::string advance = wish.empty() ? kernel_in_advance(processor()) : "";
  open_library(advance);
  return advance;
}

// Whether OpenBLAS has this kernel now, or one like it.
bool take(const std::string& kernel) {
  open_library(kernel);
  BLAS(openblas_set_num_threads)(1);
  return equally_capable(blas_kernel(), kernel);
}

#else

std::string load(const std::string&) { return ""; }

// Whether OpenBLAS, whose workers have ended, has this kernel now, or one like it. It was loaded before any code of ours could
// run, but chooses anew when it has forgotten its choice.
bool take(const std::string& kernel) {
#if !defined(_WIN32)
  if (gotoblas_dynamic_quit == nullptr || gotoblas_dynamic_init == nullptr) return false;
  const SettingFor core_type("OPENBLAS_CORETYPE", kernel.c_str());
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
#endif
  return equally_capable(blas_kernel(), kernel);
}

#endif

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
  std::vector<T> row(n);
  for (int i = 0; i < m; i++) {
    std::fill(row.begin(), row.end(), T(0));
    for (int l = 0; l < k; l++) {
      const T factor = a[at ? l * m + i : i * k + l];
      for (int j = 0; j < n; j++) row[j] += factor * b[bt ? j * k + l : l * n + j];
    }
    if (!std::equal(row.begin(), row.end(), c.begin() + static_cast<std::ptrdiff_t>(i) * n)) return false;
  }
  return true;
}

// The three forms that training uses, of a narrow and a wider layer, and of one that is beyond what kernels for small products
// take.
template <typename T>
bool multiplies() {
  constexpr int kShapes[][3] = {{50, 5, 12}, {50, 37, 12}, {120, 101, 104}};
  for (const auto& [m, n, k] : kShapes) {
    if (!multiplies<T>(Transpose::no, Transpose::yes, m, n, k)) return false;
    if (!multiplies<T>(Transpose::no, Transpose::no, m, k, n)) return false;
    if (!multiplies<T>(Transpose::yes, Transpose::no, n, k, m)) return false;
  }
  return true;
}

// The reason for the kernel that is taken; see choose_kernel. A user's OPENBLAS_CORETYPE, `wish`, is not overruled, nor is
// `advance`, the kernel that OpenBLAS was told before it was loaded, if it is right.
std::string take_best_kernel(const std::string& wish, const std::string& advance) {
  // Kernels for new processors have been wrong before: one for Arm's SME, in 0.3.34, under emulation.
  const auto right = [] { return multiplies<float>() && multiplies<double>(); };
  const std::string own = blas_kernel();
  const auto refused = [&] {
    return BlasError("OpenBLAS's kernel " + own +
                     " multiplies wrongly on this processor; the environment variable OPENBLAS_CORETYPE chooses another");
  };
  if (!wish.empty()) {
    if (!right()) throw refused();
    return "OPENBLAS_CORETYPE is " + wish;
  }
  if (!advance.empty() && right())
    return "this OpenBLAS does not know processors of family " + std::to_string(processor().family);
  const auto taken = [](const std::string& kernel) { return blas_kernel() == kernel || take(kernel) ? blas_kernel() : ""; };
  const std::string reason = choose_kernel(processor(), own, blas_version(), taken, right);
  if (reason.empty()) throw refused();
  return reason;
}

}  // namespace

void blas_start() {
  // A throw leaves the flag unset, so every later caller is refused again.
  std::call_once(started, [] {
    const std::string wish = environment("OPENBLAS_CORETYPE").value_or("");
    const std::string advance = load(wish);
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
    kernel_reason = take_best_kernel(wish, advance);
  });
}

std::string blas_version() {
  // "OpenBLAS 0.3.21 NO_LAPACKE DYNAMIC_ARCH …"
  const std::string config = BLAS(openblas_get_config)();
  const auto from = config.find(' ');
  return from == std::string::npos ? config : config.substr(from + 1, config.find(' ', from + 1) - from - 1);
}

std::string blas_kernel() { return BLAS(openblas_get_corename)(); }
std::string blas_kernel_reason() { return kernel_reason; }

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

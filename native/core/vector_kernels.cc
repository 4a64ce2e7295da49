#include "vector_kernels.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "vector_levels.h"

namespace layerwise {
namespace {

// __builtin_cpu_supports also asks whether the operating system saves the wide registers.
VectorLevel best_level() {
#if defined(__x86_64__)
  __builtin_cpu_init();
  const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
  const bool avx512 = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
                      __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl");
  return avx2 && avx512 ? VectorLevel::avx512 : avx2 ? VectorLevel::avx2 : VectorLevel::baseline;
#elif defined(__aarch64__)
  return VectorLevel::neon;
#else
  return VectorLevel::baseline;
#endif
}

template <typename T>
const VectorKernels<T>& pick(const VectorKernels<float>& f32, const VectorKernels<double>& f64) {
  if constexpr (std::is_same_v<T, float>) {
    (void)f64;
    return f32;
  } else {
    (void)f32;
    return f64;
  }
}

}  // namespace

VectorLevel choose_level(VectorLevel best, const char* wish) {
  if (wish == nullptr) return best;
  for (VectorLevel level : {VectorLevel::baseline, VectorLevel::avx2, VectorLevel::avx512}) {
    if (best != VectorLevel::neon && level <= best && std::strcmp(wish, vector_level_name(level)) == 0) return level;
  }
  return best;
}

VectorLevel vector_level() {
  static const VectorLevel level = choose_level(best_level(), std::getenv("LAYERWISE_VECTORS"));
  return level;
}

const char* vector_level_name(VectorLevel level) {
  switch (level) {
    case VectorLevel::avx2:
      return "avx2";
    case VectorLevel::avx512:
      return "avx512";
    case VectorLevel::neon:
      return "neon";
    default:
      return "baseline";
  }
}

template <typename T>
const VectorKernels<T>& vector_kernels(VectorLevel level) {
#if defined(__x86_64__)
  if (level == VectorLevel::avx512) return pick<T>(avx512::kernels_f32, avx512::kernels_f64);
  if (level == VectorLevel::avx2) return pick<T>(avx2::kernels_f32, avx2::kernels_f64);
#else
  (void)level;
#endif
  return pick<T>(baseline::kernels_f32, baseline::kernels_f64);
}

template <typename T>
const VectorKernels<T>& vector_kernels() {
  return vector_kernels<T>(vector_level());
}

template const VectorKernels<float>& vector_kernels<float>(VectorLevel);
template const VectorKernels<double>& vector_kernels<double>(VectorLevel);
template const VectorKernels<float>& vector_kernels<float>();
template const VectorKernels<double>& vector_kernels<double>();

}  // namespace layerwise

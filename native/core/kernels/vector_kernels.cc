#include "kernels/vector_kernels.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>
#include <type_traits>

#include "kernels/best_level.h"
#include "kernels/levels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace layerwise {
namespace {

#if defined(__x86_64__)

constexpr bool all_bits(unsigned word, unsigned bits) { return (word & bits) == bits; }

// Which wide registers the operating system saves when it switches threads: XCR0.
unsigned saved_registers() {
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Asked of the processor itself: behind __builtin_cpu_supports stands a library that not every compiler brings.
VectorLevel detected_level() {
  constexpr unsigned fma_saving_popcnt = 1u << 12 | 1u << 27 | 1u << 23;
  constexpr unsigned avx2 = 1u << 5, avx512_f_dq_bw_vl = 1u << 16 | 1u << 17 | 1u << 30 | 1u << 31;
  constexpr unsigned avx_state = 0x6, avx512_state = 0xe6;
  unsigned a, b, c, d;
  if (!__get_cpuid(1, &a, &b, &c, &d) || !all_bits(c, fma_saving_popcnt)) return VectorLevel::baseline;
  const unsigned saved = saved_registers();
  if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return VectorLevel::baseline;
  if (!all_bits(b, avx2) || !all_bits(saved, avx_state)) return VectorLevel::baseline;
  return all_bits(b, avx512_f_dq_bw_vl) && all_bits(saved, avx512_state) ? VectorLevel::avx512 : VectorLevel::avx2;
}

#elif defined(__aarch64__)
VectorLevel detected_level() { return VectorLevel::neon; }
#else
VectorLevel detected_level() { return VectorLevel::baseline; }
#endif

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

VectorLevel best_vector_level() { return detected_level(); }

VectorLevel choose_level(VectorLevel best, const char* wish) {
  if (wish == nullptr) return best;
  for (VectorLevel level : {VectorLevel::baseline, VectorLevel::avx2, VectorLevel::avx512}) {
    if (best != VectorLevel::neon && level <= best && std::strcmp(wish, vector_level_name(level)) == 0) return level;
  }
  return best;
}

VectorLevel vector_level() {
#if defined(LAYERWISE_VECTOR_LEVEL)
  return VectorLevel::LAYERWISE_VECTOR_LEVEL;
#else
  static const VectorLevel level = choose_level(best_vector_level(), std::getenv("LAYERWISE_VECTORS"));
  return level;
#endif
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
#if defined(LAYERWISE_VECTOR_LEVEL)
  (void)level;
  return pick<T>(LAYERWISE_VECTOR_LEVEL::kernels_f32, LAYERWISE_VECTOR_LEVEL::kernels_f64);
#elif defined(__x86_64__)
  if (level == VectorLevel::avx512) return pick<T>(avx512::kernels_f32, avx512::kernels_f64);
  if (level == VectorLevel::avx2) return pick<T>(avx2::kernels_f32, avx2::kernels_f64);
  return pick<T>(baseline::kernels_f32, baseline::kernels_f64);
#else
  (void)level;
  return pick<T>(baseline::kernels_f32, baseline::kernels_f64);
#endif
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

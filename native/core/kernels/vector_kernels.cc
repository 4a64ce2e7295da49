#include "kernels/vector_kernels.h"

#include <cstdlib>
#include <cstring>
#include <initializer_list>

#include "kernels/levels/best.h"
#include "kernels/levels/levels.h"

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace layerwise {
namespace {

#if defined(__x86_64__)

constexpr bool all_bits(unsigned word, unsigned bits) { return (word & bits) == bits; }

// XCR0: the wide registers that the operating system saves when it switches threads.
unsigned saved_registers() {
  unsigned low, high;
  __asm__ volatile("xgetbv" : "=a"(low), "=d"(high) : "c"(0));
  return low;
}

// Read from the processor itself: __builtin_cpu_supports needs a library that not every compiler has.
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

// The table that these fill, made the first time it is asked for.
template <typename T, void (*... add)(VectorKernels<T>&)>
const VectorKernels<T>& filled_by() {
  static const VectorKernels<T> table = [] {
    VectorKernels<T> made{};
    (add(made), ...);
    return made;
  }();
  return table;
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
  namespace only = LAYERWISE_VECTOR_LEVEL;
  (void)level;
  return filled_by<T, only::add_layers<T>, only::add_data<T>, only::add_products<T>, only::add_groups<T>>();
#else
#if defined(__x86_64__)
  if (level == VectorLevel::avx512)
    return filled_by<T, avx512::add_layers<T>, avx512::add_data<T>, avx512::add_products<T>, avx512::add_groups<T>>();
  if (level == VectorLevel::avx2)
    return filled_by<T, avx2::add_layers<T>, avx2::add_data<T>, avx2::add_products<T>, avx2::add_groups<T>>();
#endif
  (void)level;
  return filled_by<T, baseline::add_layers<T>, baseline::add_data<T>, baseline::add_products<T>, baseline::add_groups<T>>();
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

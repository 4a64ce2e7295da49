// AVX2 with FMA.
#include "kernels/level_includes.h"

#if defined(__x86_64__)

// In force to the end of the file, because templates are instantiated there.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,popcnt"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,popcnt")
#endif

#define LAYERWISE_LEVEL avx2
#define LAYERWISE_VECTOR_BYTES 32

#include "kernels/lanes/avx2.h"
#include "kernels/loops/table.h"

#if defined(__clang__)
#pragma clang attribute pop
#endif

#endif

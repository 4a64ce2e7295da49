#pragma once
// AVX2 with FMA.
#include "kernels/levels/includes.h"

// In force to the end of the file that includes this, because templates are instantiated there; end.h ends it.
#if defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx2,fma,popcnt"))), apply_to = function)
#else
#pragma GCC target("avx2,fma,popcnt")
#endif

#define LAYERWISE_LEVEL avx2
#define LAYERWISE_VECTOR_BYTES 32

#include "kernels/lanes/avx2.h"

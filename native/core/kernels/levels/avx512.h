#pragma once
// AVX-512 as servers have it since Skylake: F, DQ, BW and VL.
#include "kernels/levels/includes.h"

// In force to the end of the file that includes this, because templates are instantiated there; end.h ends it.
#if defined(__clang__) && __clang_major__ >= 18 && __clang_major__ < 22 && !defined(__apple_build_version__)
// These compilers treat the wide registers as a separate feature, which zig switches off.
#pragma clang attribute push(__attribute__((target("evex512,avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,popcnt"))), \
                             apply_to = function)
#elif defined(__clang__)
#pragma clang attribute push(__attribute__((target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,popcnt"))), apply_to = function)
#else
#pragma GCC target("avx512f,avx512dq,avx512bw,avx512vl,avx2,fma,popcnt")
#endif

#define LAYERWISE_LEVEL avx512
#define LAYERWISE_VECTOR_BYTES 64

#include "kernels/lanes/avx512.h"

#pragma once
// All external headers of the vector code, included before a file sets its target. Otherwise an inline function compiled for a
// newer processor could become the linker's single copy for all levels.
#include <algorithm>
#include <cmath>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "kernels/levels/levels.h"

#if defined(__x86_64__)
#include <immintrin.h>
#elif defined(__aarch64__)
#include <arm_neon.h>
#endif

// a * b + c is fused only by fma(). Otherwise the compiler could choose differently in two loops, and bits of an element would
// differ.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#define LAYERWISE_INLINE inline __attribute__((always_inline))
#define LAYERWISE_INLINE_LAMBDA __attribute__((always_inline))

#pragma once
// Everything the vector code takes from outside, to be included before a file sets its target: an inline function of a header
// compiled for a newer processor could be the copy that the linker keeps for all.
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

// No a * b + c is fused unless fma() says so: otherwise the compiler's choice in one loop could differ from its choice in
// another, and with it an element's bits.
#if defined(__clang__)
#pragma clang fp contract(off)
#elif defined(__GNUC__)
#pragma GCC optimize("fp-contract=off")
#endif

#define LAYERWISE_INLINE inline __attribute__((always_inline))
#define LAYERWISE_INLINE_LAMBDA __attribute__((always_inline))

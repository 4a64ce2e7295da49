#pragma once
// What every processor of its kind has: SSE2 on x86-64, NEON on 64-bit ARM, plain vectors of the compiler elsewhere.
#include "kernels/levels/includes.h"

#define LAYERWISE_LEVEL baseline
#define LAYERWISE_VECTOR_BYTES 16

#if defined(__x86_64__)
#include "kernels/lanes/sse2.h"
#elif defined(__aarch64__)
#include "kernels/lanes/neon.h"
#else
#include "kernels/lanes/plain.h"
#endif

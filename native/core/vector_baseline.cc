// What every processor of its kind has: SSE2 on x86-64, NEON on 64-bit ARM, plain vectors of the compiler elsewhere.
#include "vector_includes.h"

#define LAYERWISE_LEVEL baseline
#define LAYERWISE_VECTOR_BYTES 16

#if defined(__x86_64__)
#include "vector_lanes_sse2.h"
#elif defined(__aarch64__)
#include "vector_lanes_neon.h"
#else
#include "vector_lanes_plain.h"
#endif

#include "vector_table.h"

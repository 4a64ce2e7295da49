#pragma once
#include "kernels/vector_kernels.h"

namespace layerwise {

// One table of kernels for each level that is compiled for this kind of processor.
namespace baseline {
extern const VectorKernels<float> kernels_f32;
extern const VectorKernels<double> kernels_f64;
}  // namespace baseline

#if defined(__x86_64__)
namespace avx2 {
extern const VectorKernels<float> kernels_f32;
extern const VectorKernels<double> kernels_f64;
}  // namespace avx2

namespace avx512 {
extern const VectorKernels<float> kernels_f32;
extern const VectorKernels<double> kernels_f64;
}  // namespace avx512
#endif

// The level named by wish, where that is one of this machine's levels up to best; else best. A null wish is none.
VectorLevel choose_level(VectorLevel best, const char* wish);

}  // namespace layerwise

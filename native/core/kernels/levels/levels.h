#pragma once
#include "kernels/vector_kernels.h"

namespace layerwise {

// The kernels of each level that is compiled for this kind of processor, in four parts, each a file of its own: a level is long
// to compile. Each puts its functions into the table.
namespace baseline {
template <typename T>
void add_layers(VectorKernels<T>& to);
template <typename T>
void add_data(VectorKernels<T>& to);
template <typename T>
void add_products(VectorKernels<T>& to);
template <typename T>
void add_groups(VectorKernels<T>& to);
}  // namespace baseline

#if defined(__x86_64__)
namespace avx2 {
template <typename T>
void add_layers(VectorKernels<T>& to);
template <typename T>
void add_data(VectorKernels<T>& to);
template <typename T>
void add_products(VectorKernels<T>& to);
template <typename T>
void add_groups(VectorKernels<T>& to);
}  // namespace avx2

namespace avx512 {
template <typename T>
void add_layers(VectorKernels<T>& to);
template <typename T>
void add_data(VectorKernels<T>& to);
template <typename T>
void add_products(VectorKernels<T>& to);
template <typename T>
void add_groups(VectorKernels<T>& to);
}  // namespace avx512
#endif

// The level named by `wish` if it is one of this machine's levels up to best; else best. wish may be null.
VectorLevel choose_level(VectorLevel best, const char* wish);

}  // namespace layerwise

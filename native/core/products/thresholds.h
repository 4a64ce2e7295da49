#pragma once
#include <cstddef>
#include <limits>

#include "kernels/vector_kernels.h"

namespace layerwise {

// Where one way of making a product becomes faster than another. One row for each vector level and precision; choose.cc alone
// reads it. `npm run bench -- products` measures what a row should say; a change here is a reviewed change, since it changes the
// bits of results.
struct Thresholds {
  // Weights up to which a layer is small: its gradient is summed in registers without laying anything out, by row blocks.
  std::size_t small_weights;

  // Weights up to which `product` is faster than OpenBLAS's gemm. By AVX2 (Zen 3, 2668369), on one thread and on two against its
  // kernel Zen: 128 rows of 196 by 784 in 0.86 of its time, and 0.92 the other way; of the 1000 by 1000 of a training 0.95 and
  // 0.98. By AVX-512 (Xeon, 590eadf) against its kernel SkylakeX: 0.78 and 0.89, of 1000 by 1000 0.89. Narrower vectors were
  // measured with small layers only.
  std::size_t panel_weights;

  // The same where rows of W lie a multiple of kPageBytes apart and are multiplied as they are stored: they conflict in the
  // caches, 1.07 of the time by AVX2. Up to 2^18 weights this was not seen.
  std::size_t panel_weights_pages_apart;

  // Whether wide_gradient is faster than OpenBLAS's gemm for layers that are not small. By AVX-512 (Xeon, 590eadf) against its
  // kernel SkylakeX: 128 to 250 units by 1000 inputs in 0.89 of its time, 30 by 250 in 0.75, no shape in more than 0.93; by AVX2
  // against its kernel Haswell a training of wide layers takes 0.95 to 0.99 of its time.
  bool strips;

  // The share of columns that groups keep up to which their products are the faster ones: with 0.35 of the columns 2.9 and 2.4
  // times as fast by AVX2, and 0.8 times without wide vectors and a fused multiply-add (Zen 3, ba749e4).
  double most_kept;

  // Rows from which groups are worth while: by a rough count, W is transposed in the time that 30 of them save.
  int fewest_grouped_rows;

  // The share of zeros in a single row above which the rows of W^T that it needs are faster than all of W (Zen 3, 02d5839).
  double fewest_zeros;
};

constexpr std::size_t kPageBytes = 4096;
constexpr std::size_t kAnyWeights = std::numeric_limits<std::size_t>::max();

struct ThresholdsOf {
  VectorLevel level;
  std::size_t element;  // bytes: 4 of float32, 8 of float64
  Thresholds thresholds;
};

// clang-format off
constexpr ThresholdsOf kThresholds[] = {
    // level, element      small panels       pages apart strips kept rows zeros
    {VectorLevel::baseline, 4, {4096, 4096,        4096,    false, 0.2, 64, 0.125}},
    {VectorLevel::baseline, 8, {4096, 4096,        4096,    false, 0.2, 64, 0.125}},
    {VectorLevel::neon,     4, {4096, 4096,        4096,    false, 0.6, 64, 0.125}},
    {VectorLevel::neon,     8, {4096, 4096,        4096,    false, 0.6, 64, 0.125}},
    {VectorLevel::avx2,     4, {4096, kAnyWeights, 1 << 18, true,  0.6, 64, 0.125}},
    {VectorLevel::avx2,     8, {4096, kAnyWeights, 1 << 18, true,  0.6, 64, 0.125}},
    {VectorLevel::avx512,   4, {4096, kAnyWeights, 1 << 18, true,  0.6, 64, 0.125}},
    {VectorLevel::avx512,   8, {4096, kAnyWeights, 1 << 18, true,  0.6, 64, 0.125}},
};
// clang-format on

}  // namespace layerwise

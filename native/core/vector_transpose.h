#pragma once
// Square blocks of 16 bytes a side, turned over in registers: at every level the same.
#include "vector_lanes.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

typedef float F4 __attribute__((vector_size(16)));
typedef double D2 __attribute__((vector_size(16)));

#if defined(__clang__)
#define LAYERWISE_SHUFFLE(Mask, a, b, ...) __builtin_shufflevector(a, b, __VA_ARGS__)
#else
#define LAYERWISE_SHUFFLE(Mask, a, b, ...) __builtin_shuffle(a, b, Mask{__VA_ARGS__})
#endif
typedef std::int32_t I4 __attribute__((vector_size(16)));
typedef std::int64_t I2 __attribute__((vector_size(16)));

LAYERWISE_INLINE void turn(F4 (&rows)[4]) {
  const F4 a = LAYERWISE_SHUFFLE(I4, rows[0], rows[1], 0, 4, 1, 5), b = LAYERWISE_SHUFFLE(I4, rows[0], rows[1], 2, 6, 3, 7);
  const F4 c = LAYERWISE_SHUFFLE(I4, rows[2], rows[3], 0, 4, 1, 5), d = LAYERWISE_SHUFFLE(I4, rows[2], rows[3], 2, 6, 3, 7);
  rows[0] = LAYERWISE_SHUFFLE(I4, a, c, 0, 1, 4, 5);
  rows[1] = LAYERWISE_SHUFFLE(I4, a, c, 2, 3, 6, 7);
  rows[2] = LAYERWISE_SHUFFLE(I4, b, d, 0, 1, 4, 5);
  rows[3] = LAYERWISE_SHUFFLE(I4, b, d, 2, 3, 6, 7);
}

LAYERWISE_INLINE void turn(D2 (&rows)[2]) {
  const D2 a = rows[0], b = rows[1];
  rows[0] = LAYERWISE_SHUFFLE(I2, a, b, 0, 2);
  rows[1] = LAYERWISE_SHUFFLE(I2, a, b, 1, 3);
}
#undef LAYERWISE_SHUFFLE

template <typename T>
using Short = std::conditional_t<std::is_same_v<T, float>, F4, D2>;

// The parts of a vector added up, lane by lane.
template <typename T>
LAYERWISE_INLINE Short<T> folded(V<T> v) {
  Short<T> parts[sizeof v / sizeof(Short<T>)], sum{};
  std::memcpy(parts, &v, sizeof v);
  for (const Short<T>& part : parts) sum += part;
  return sum;
}

// out [cols, rows] = in^T, or out += in^T.
template <bool add, typename T>
LAYERWISE_INLINE void turn_over(MatrixView<const T> in, MatrixView<T> out) {
  constexpr int kSide = 16 / sizeof(T);
  const int rows = in.rows / kSide * kSide, cols = in.cols / kSide * kSide;
  const auto one = [&](int i, int j) LAYERWISE_INLINE_LAMBDA {
    T* to = out.data + j * out.stride + i;
    *to = add ? *to + in.data[i * in.stride + j] : in.data[i * in.stride + j];
  };
  for (int i = 0; i < rows; i += kSide) {
    for (int j = 0; j < cols; j += kSide) {
      const T* from = in.data + i * in.stride + j;
      T* to = out.data + j * out.stride + i;
      Short<T> block[kSide];
      for (int r = 0; r < kSide; r++) std::memcpy(&block[r], from + r * in.stride, sizeof block[r]);
      turn(block);
      for (int r = 0; r < kSide; r++) {
        if constexpr (add) {
          Short<T> before;
          std::memcpy(&before, to + r * out.stride, sizeof before);
          block[r] += before;
        }
        std::memcpy(to + r * out.stride, &block[r], sizeof block[r]);
      }
    }
    for (int r = i; r < i + kSide; r++) {
      for (int j = cols; j < in.cols; j++) one(r, j);
    }
  }
  for (int i = rows; i < in.rows; i++) {
    for (int j = 0; j < in.cols; j++) one(i, j);
  }
}

template <typename T>
void transpose(MatrixView<const T> in, MatrixView<T> out) {
  turn_over<false>(in, out);
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#pragma once
// Matrices transposed in registers, in squares with sides of 16 bytes: one square, or as many below each other as fit a vector,
// so that whole vectors are stored.
#include "kernels/lanes/lanes.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

typedef float F4 __attribute__((vector_size(16)));
typedef double D2 __attribute__((vector_size(16)));

template <typename T>
using Short = std::conditional_t<std::is_same_v<T, float>, F4, D2>;

// Selects from each 16 bytes of a and b the elements that `from` names, those of a first.
template <typename T, int... from, typename Vector, std::size_t... lane>
LAYERWISE_INLINE Vector picked(Vector a, Vector b, std::index_sequence<lane...>) {
  constexpr int kSide = sizeof(Short<T>) / sizeof(T), kLanes = sizeof...(lane), kFrom[] = {from...};
#if defined(__clang__)
  return __builtin_shufflevector(a, b,
                                 (lane / kSide * kSide + kFrom[lane % kSide] % kSide + kFrom[lane % kSide] / kSide * kLanes)...);
#else
  using Int = typename Lanes<T>::Int;
  typedef Int Ints __attribute__((vector_size(sizeof(Vector))));
  return __builtin_shuffle(
      a, b, Ints{Int(lane / kSide * kSide + kFrom[lane % kSide] % kSide + kFrom[lane % kSide] / kSide * kLanes)...});
#endif
}

// rows[r] holds row r of each square.
template <typename T, typename Vector>
LAYERWISE_INLINE void turn(Vector (&rows)[16 / sizeof(T)]) {
  constexpr auto kAll = std::make_index_sequence<sizeof(Vector) / sizeof(T)>{};
  if constexpr (std::is_same_v<T, float>) {
    const Vector a = picked<T, 0, 4, 1, 5>(rows[0], rows[1], kAll), b = picked<T, 2, 6, 3, 7>(rows[0], rows[1], kAll);
    const Vector c = picked<T, 0, 4, 1, 5>(rows[2], rows[3], kAll), d = picked<T, 2, 6, 3, 7>(rows[2], rows[3], kAll);
    rows[0] = picked<T, 0, 1, 4, 5>(a, c, kAll);
    rows[1] = picked<T, 2, 3, 6, 7>(a, c, kAll);
    rows[2] = picked<T, 0, 1, 4, 5>(b, d, kAll);
    rows[3] = picked<T, 2, 3, 6, 7>(b, d, kAll);
  } else {
    const Vector a = rows[0], b = rows[1];
    rows[0] = picked<T, 0, 2>(a, b, kAll);
    rows[1] = picked<T, 1, 3>(a, b, kAll);
  }
}

// Adds the parts of a vector, lane by lane.
template <typename T>
LAYERWISE_INLINE Short<T> folded(V<T> v) {
  Short<T> parts[sizeof v / sizeof(Short<T>)], sum{};
  std::memcpy(parts, &v, sizeof v);
  for (const Short<T>& part : parts) sum += part;
  return sum;
}

// Transposes columns of `from`, over as many rows as a Vector has elements, to rows of `to`. Columns that do not fill a square
// are left out.
template <bool add, typename Vector, typename T>
LAYERWISE_INLINE void turn_strip(const T* from, std::size_t stride, int cols, T* to, std::size_t out_stride) {
  constexpr int kSide = 16 / sizeof(T);
  for (int j = 0; j + kSide <= cols; j += kSide) {
    Vector rows[kSide];
    for (int r = 0; r < kSide; r++) {
      const T* row = from + r * stride + j;
      if constexpr (sizeof(Vector) == 16) {
        std::memcpy(&rows[r], row, sizeof(Vector));
      } else {
        rows[r] = below_each_other(row, kSide * stride);
      }
    }
    turn<T>(rows);
    for (int r = 0; r < kSide; r++) {
      T* out = to + (j + r) * out_stride;
      if constexpr (add) {
        Vector before;
        std::memcpy(&before, out, sizeof before);
        rows[r] += before;
      }
      std::memcpy(out, &rows[r], sizeof(Vector));
    }
  }
}

// out [cols, rows] = in^T, or out += in^T.
template <bool add, typename T>
LAYERWISE_INLINE void turn_over(MatrixView<const T> in, MatrixView<T> out) {
  constexpr int kSide = 16 / sizeof(T), kLanes = Lanes<T>::kCount;
  const auto one = [&](int i, int j) LAYERWISE_INLINE_LAMBDA {
    T* to = out.data + j * out.stride + i;
    *to = add ? *to + in.data[i * in.stride + j] : in.data[i * in.stride + j];
  };
  int i = 0;
  for (; i + kLanes <= in.rows; i += kLanes)
    turn_strip<add, V<T>>(in.data + i * in.stride, in.stride, in.cols, out.data + i, out.stride);
  for (; i + kSide <= in.rows; i += kSide)
    turn_strip<add, Short<T>>(in.data + i * in.stride, in.stride, in.cols, out.data + i, out.stride);
  for (int r = 0; r < i; r++) {
    for (int j = in.cols / kSide * kSide; j < in.cols; j++) one(r, j);
  }
  for (; i < in.rows; i++) {
    for (int j = 0; j < in.cols; j++) one(i, j);
  }
}

template <typename T>
void transpose(MatrixView<const T> in, MatrixView<T> out) {
  turn_over<false>(in, out);
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

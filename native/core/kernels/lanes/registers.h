#pragma once
// Vectors that stay in registers: for an array, g++ keeps a copy in memory and stores each element there when it changes.
#include "kernels/lanes/lanes.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

template <typename T, int n>
struct RegisterList {
  V<T> first;
  RegisterList<T, n - 1> rest;
};
template <typename T>
struct RegisterList<T, 0> {};

template <int i, typename T, int n>
LAYERWISE_INLINE V<T>& nth(RegisterList<T, n>& list) {
  if constexpr (i == 0) {
    return list.first;
  } else {
    return nth<i - 1>(list.rest);
  }
}

// Rows of `width` vectors, indexed by constants.
template <typename T, int rows, int width>
struct Registers {
  template <typename Row, typename Column>
  LAYERWISE_INLINE V<T>& at(Row, Column) {
    return nth<Row::value * width + Column::value>(list);
  }
  template <typename Column>
  LAYERWISE_INLINE V<T>& at(Column column) {
    return at(std::integral_constant<int, 0>{}, column);
  }
  RegisterList<T, rows * width> list;
};

// body(i) for i = 0 … n-1, each a constant.
template <int n, int i = 0, typename Body>
LAYERWISE_INLINE void unrolled(Body&& body) {
  if constexpr (i < n) {
    body(std::integral_constant<int, i>{});
    unrolled<n, i + 1>(body);
  }
}

// body(min(n, most)) with that number as a compile-time constant.
template <int most, typename Body>
LAYERWISE_INLINE void with_count(int n, Body&& body) {
  if constexpr (most > 1) {
    if (n < most) return with_count<most - 1>(n, body);
  }
  body(std::integral_constant<int, most>{});
}

// A row of `width` vectors of which the last may be incomplete: Last is Whole or Rest.
template <int width, typename T, typename Last>
struct RowPart {
  template <typename Column>
  LAYERWISE_INLINE V<T> load(Column, const T* row) const {
    if constexpr (Column::value + 1 == width) return last.load(row + Column::value * Lanes<T>::kCount);
    return LAYERWISE_LEVEL::load(row + Column::value * Lanes<T>::kCount);
  }
  template <typename Column>
  LAYERWISE_INLINE void store(Column, T* row, V<T> v) const {
    if constexpr (Column::value + 1 == width) return last.store(row + Column::value * Lanes<T>::kCount, v);
    LAYERWISE_LEVEL::store(row + Column::value * Lanes<T>::kCount, v);
  }
  Last last;
};

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

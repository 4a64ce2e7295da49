#pragma once
#include <limits>
#include <type_traits>

#include "kernels/vector_kernels.h"

namespace layerwise {

template <typename E>
bool all_finite(MatrixView<E> x) {
  using T = std::remove_const_t<E>;
  constexpr T limit = std::numeric_limits<T>::max();
  return vector_kernels<T>().within(x, -limit, limit);
}

}  // namespace layerwise

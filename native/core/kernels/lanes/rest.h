#pragma once
// Rest<T> where the processor has no masked loads and stores.
#include "kernels/lanes/lanes.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

template <typename T>
struct Rest {
  static constexpr int kCount = Lanes<T>::kCount;
  using Int = typename Lanes<T>::Int;

  LAYERWISE_INLINE explicit Rest(int n) : n(n) {
    for (int i = 0; i < kCount; i++) mask[i] = i < n ? Int{-1} : Int{0};
  }
  LAYERWISE_INLINE V<T> load(const T* from) const {
    T lanes[kCount] = {};
    std::memcpy(lanes, from, sizeof(T) * n);
    return LAYERWISE_LEVEL::load(lanes);
  }
  LAYERWISE_INLINE void store(T* to, V<T> v) const {
    T lanes[kCount];
    LAYERWISE_LEVEL::store(lanes, v);
    std::memcpy(to, lanes, sizeof(T) * n);
  }
  LAYERWISE_INLINE V<T> only(V<T> v) const { return (V<T>)((I<T>)v & mask); }

  std::size_t n;
  I<T> mask;
};

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "pages.h"

namespace layerwise {

// Zeroed memory for n elements, aligned to a cache line; owned, fixed in size, movable. Where it is large the system gives the
// pages as they are touched, huge ones if it has them.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : bytes_(std::calloc(size + kAlignment / sizeof(T) + 1, sizeof(T))), size_(size) {
    if (!bytes_) throw std::bad_alloc();
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.get());
    data_ = reinterpret_cast<T*>((address + kAlignment - 1) / kAlignment * kAlignment);
    prefer_huge_pages(data_, size * sizeof(T));
  }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  static constexpr std::size_t kAlignment = 64;
  struct Free {
    void operator()(void* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<void, Free> bytes_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace layerwise

#pragma once
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <new>

#include "base/pages.h"

namespace layerwise {

// Zeroed memory for n elements, aligned to a cache line; owned, fixed in size, movable. The system provides pages when they are
// first touched. From half a MiB on it begins and ends at a huge page, if the system has them. With small pages for the vectors
// of 784-196, each smaller than two huge pages, page lookups took 1 to 4% of a training in a virtual machine.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : size_(size) {
    const bool large = size >= kLarge / sizeof(T);
    const std::size_t unit = (large ? kHugePage : kLine) / sizeof(T);
    const std::size_t room = (size + unit - 1) / unit * unit;
    bytes_.reset(std::calloc(room + unit, sizeof(T)));
    if (!bytes_) throw std::bad_alloc();
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.get()), bytes = unit * sizeof(T);
    data_ = reinterpret_cast<T*>((address + bytes - 1) / bytes * bytes);
    if (large) prefer_huge_pages(data_, room * sizeof(T));
  }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  static constexpr std::size_t kLine = 64, kLarge = std::size_t{1} << 19;
  struct Free {
    void operator()(void* bytes) const { std::free(bytes); }
  };
  std::unique_ptr<void, Free> bytes_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace layerwise

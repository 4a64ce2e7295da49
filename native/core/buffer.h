#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>

namespace layerwise {

// Zeroed memory for n elements, aligned to a cache line; owned, fixed in size, movable.
template <typename T>
class Buffer {
 public:
  Buffer() = default;
  explicit Buffer(std::size_t size) : bytes_(std::make_unique<unsigned char[]>(size * sizeof(T) + kAlignment)), size_(size) {
    const auto address = reinterpret_cast<std::uintptr_t>(bytes_.get());
    data_ = reinterpret_cast<T*>((address + kAlignment - 1) / kAlignment * kAlignment);
  }

  T* data() const { return data_; }
  std::size_t size() const { return size_; }
  T& operator[](std::size_t i) const { return data_[i]; }

 private:
  static constexpr std::size_t kAlignment = 64;
  std::unique_ptr<unsigned char[]> bytes_;
  T* data_ = nullptr;
  std::size_t size_ = 0;
};

}  // namespace layerwise

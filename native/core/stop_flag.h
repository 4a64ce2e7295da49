#pragma once
#include <atomic>
#include <cstdint>

namespace layerwise {

// Why a task should end early: JavaScript set its word, or the environment that asked is going away. Polled between blocks and
// steps.
class StopFlag {
 public:
  StopFlag() = default;
  explicit StopFlag(const std::int32_t* word) : word_(word) {}

  bool raised() const {
    return abandoned_.load(std::memory_order_relaxed) || (word_ != nullptr && __atomic_load_n(word_, __ATOMIC_RELAXED) != 0);
  }
  void abandon() { abandoned_.store(true, std::memory_order_relaxed); }

 private:
  const std::int32_t* word_ = nullptr;
  std::atomic<bool> abandoned_{false};
};

}  // namespace layerwise

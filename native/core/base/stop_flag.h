#pragma once
#include <atomic>
#include <cstdint>

namespace layerwise {

// Tells a task to end early: JavaScript set its word, or the environment that started it is ending. Polled between blocks and
// steps.
class StopFlag {
 public:
  StopFlag() = default;
  // `words` are [2]: the first is set by the caller to stop the task, the second by the task when it begins.
  explicit StopFlag(std::int32_t* words) : words_(words) {}

  // Marks the task as begun; returns false if it must not begin. Sequentially consistent: if a caller sets the first word and
  // then reads 0 in the second, the task will do nothing.
  bool begin() {
    if (words_ != nullptr) {
      __atomic_store_n(words_ + 1, 1, __ATOMIC_SEQ_CST);
      if (__atomic_load_n(words_, __ATOMIC_SEQ_CST) != 0) return false;
    }
    return !raised();
  }

  bool raised() const {
    return abandoned_.load(std::memory_order_relaxed) || (words_ != nullptr && __atomic_load_n(words_, __ATOMIC_RELAXED) != 0);
  }
  void abandon() { abandoned_.store(true, std::memory_order_relaxed); }

 private:
  std::int32_t* words_ = nullptr;
  std::atomic<bool> abandoned_{false};
};

}  // namespace layerwise

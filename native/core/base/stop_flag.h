#pragma once
#include <atomic>
#include <cstdint>

namespace layerwise {

// Why a task should end early: JavaScript set its word, or the environment that asked is going away. Polled between blocks and
// steps.
class StopFlag {
 public:
  StopFlag() = default;
  // `words` are [2]: the first is set by whoever wants the task to stop, the second by the task when it begins.
  explicit StopFlag(std::int32_t* words) : words_(words) {}

  // Says that the task begins now; false where it must not. Sequentially consistent: whoever sets the first word and then finds
  // the second one 0 knows that the task will do nothing.
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

#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>

namespace layerwise {

// A number that one thread waits for and others change. The waiting thread spins for a while, then sleeps. A change wakes only
// that thread.
class Gate {
 public:
  // Writes before set(), or before the count_down() that reaches 0, are visible to the thread whose wait() then returns.
  void set(std::int64_t value) {
    value_.store(value);
    wake();
  }

  void count_down() {
    if (value_.fetch_sub(1) == 1) wake();
  }

  // Returns the first value that passes the test. At most one thread may wait.
  template <typename Passes>
  std::int64_t wait(std::chrono::microseconds spin, Passes passes) {
    std::int64_t value = 0;
    const auto open = [&] { return passes(value = value_.load()); };
    if (spin_until(spin, open)) return value;
    std::unique_lock<std::mutex> lock(mutex_);
    // Sequentially consistent with value_: either this thread sees the new value, or the changing thread sees that this one
    // sleeps.
    asleep_.store(true);
    changed_.wait(lock, open);
    asleep_.store(false);
    return value;
  }

 private:
  using Clock = std::chrono::steady_clock;

  static void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
  }

  template <typename Done>
  static bool spin_until(std::chrono::microseconds spin, const Done& done) {
    for (int i = 0; i < 64; i++) {
      if (done()) return true;
      pause_briefly();
    }
    const auto deadline = Clock::now() + spin;
    do {
      for (int i = 0; i < 32; i++) {
        if (done()) return true;
        pause_briefly();
      }
    } while (Clock::now() < deadline);
    return false;
  }

  void wake() {
    if (!asleep_.load()) return;
    {
      std::lock_guard<std::mutex> lock(mutex_);
    }
    changed_.notify_one();
  }

  alignas(64) std::atomic<std::int64_t> value_{0};
  std::atomic<bool> asleep_{false};
  std::mutex mutex_;
  std::condition_variable changed_;
};

}  // namespace layerwise

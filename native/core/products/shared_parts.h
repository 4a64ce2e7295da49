#pragma once
#include <atomic>
#include <thread>

namespace layerwise {

// What several threads need whole, in parts: made by the threads that need it first. Whoever comes meanwhile helps, then waits
// for unfinished parts.
class SharedParts {
 public:
  explicit SharedParts(int count) : count_(count) {}

  // All parts are out of date. Serially.
  void renew() {
    taken_.store(0, std::memory_order_relaxed);
    made_.store(0, std::memory_order_relaxed);
  }

  // make(part) for each part that nobody has begun; returns when all are made. Any thread.
  template <typename Make>
  void complete(Make&& make) {
    const auto all_made = [&] { return made_.load(std::memory_order_acquire) == count_; };
    while (!all_made()) {
      const int part = taken_.fetch_add(1, std::memory_order_relaxed);
      if (part >= count_) break;
      make(part);
      made_.fetch_add(1, std::memory_order_release);
    }
    while (!all_made()) std::this_thread::yield();
  }

 private:
  const int count_;
  std::atomic<int> taken_{0}, made_{0};
};

}  // namespace layerwise

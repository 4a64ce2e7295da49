#pragma once
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/gate.h"

namespace layerwise {

class ThreadPool;

// The threads working on one task. Serial code of a task runs on the pool's coordinator; each() spreads blocks over all threads.
class Team {
 public:
  int threads() const { return threads_; }

  // Runs body(block) for block 0 … count-1 and returns when all are done. Any thread may run a block, so its result must not
  // depend on the thread. A thread first takes blocks of its own contiguous share, so that consecutive calls with the same count
  // find their data in its cache. body must not throw and must not call each(). The form body(block, member) also receives the
  // number of its thread, below min(threads, count), for per-thread memory.
  template <typename Body>
  void each(int count, Body&& body) {
    run(count, Deal::runs, call_of(body), &body);
  }

  // The same for blocks of different sizes, the largest first: assigned round-robin, so that all shares take about the same time.
  template <typename Body>
  void each_dealt(int count, Body&& body) {
    run(count, Deal::round_robin, call_of(body), &body);
  }

 private:
  friend class ThreadPool;
  using Call = void (*)(const void* context, int block, int member);
  enum class Deal { runs, round_robin };
  template <typename Body>
  static Call call_of(Body&) {
    return [](const void* context, int block, [[maybe_unused]] int member) {
      Body& body = *static_cast<Body*>(const_cast<void*>(context));
      if constexpr (std::is_invocable_v<Body&, int, int>) {
        body(block, member);
      } else {
        body(block);
      }
    };
  }
  Team(ThreadPool& pool, int threads) : pool_(pool), threads_(threads) {}
  void run(int count, Deal deal, Call call, const void* context);

  ThreadPool& pool_;
  int threads_;
};

using Task = std::function<void(Team&)>;

// Persistent threads: one coordinator, which runs tasks one after another in the order of their submission, and helpers, which
// join it inside Team::each(). A helper that is not part of a region keeps sleeping; one that was not needed for a while ends.
// All flush denormals. Tasks must not throw.
class ThreadPool {
 public:
  // Helpers end after this time without a task that needs them.
  static constexpr std::chrono::milliseconds kRetireAfter{2000};

  // Its threads are nicer than the process's main thread by `nicer`, and follow later changes of the main thread's niceness. No
  // thread is started before the first task.
  explicit ThreadPool(int nicer = 0, std::chrono::milliseconds retire_after = kRetireAfter)
      : nicer_(nicer), retire_after_(retire_after), shares_(new Share[kMaxThreads]) {}
  ~ThreadPool();  // finishes the tasks it holds, then joins its threads
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Queues a task for a team of `threads` threads (≥ 1). Throws std::system_error if the system has no thread for the first task.
  void submit(int threads, Task task);

  // Submits and waits: for tests and benchmarks, never on the JavaScript thread.
  void run(int threads, const Task& task);

 private:
  friend class Team;
  using Clock = std::chrono::steady_clock;
  struct Queued {
    int threads;
    Task task;
  };
  // The blocks that one member starts with; others take from them when they have finished their own.
  struct alignas(64) Share {
    std::atomic<int> next{0};
    int end = 0;
    int step = 1;
  };
  struct Helper {
    Gate region;  // number of the last region that it is a member of
    std::thread thread;
  };
  static constexpr int kMaxThreads = 256;

  void coordinate();
  bool take(Queued& next);
  void help(Helper& helper, int member);
  void ensure_helpers(int count);
  void retire_helpers();
  void end_helpers(std::size_t remaining);
  void work(int member);
  void region(int threads, int count, Team::Deal deal, Team::Call call, const void* context);

  const int nicer_;
  const std::chrono::milliseconds retire_after_;

  std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  std::deque<Queued> queue_;
  bool stopping_ = false;
  std::thread coordinator_;  // guarded by queue_mutex_ until it runs

  // The region of each() that is open. Written by the coordinator while no helper works, read by its members after they saw its
  // number.
  std::int64_t region_ = 0;
  int members_ = 0;
  int nice_ = 0;  // of the coordinator, for its helpers to take over
  std::unique_ptr<Share[]> shares_;
  Team::Call call_ = nullptr;
  const void* context_ = nullptr;
  Gate unfinished_;  // helpers at work

  // The coordinator's own.
  std::vector<std::unique_ptr<Helper>> helpers_;
  std::size_t needed_ = 0;  // most helpers of a region since needed_since_
  Clock::time_point needed_since_{};
};

// The number of threads that is fastest for this much work between two waits, in floating-point operations.
int useful_threads(double flops, int threads);

}  // namespace layerwise

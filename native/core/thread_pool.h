#pragma once
#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <type_traits>
#include <vector>

namespace layerwise {

class ThreadPool;

// The threads working on one task. Serial code of a task runs on the pool's coordinator; each() spreads blocks over all threads.
class Team {
 public:
  int threads() const { return threads_; }

  // Runs body(block) for block 0 … count-1 and returns when all are done. Who runs a block is not fixed; what it computes must
  // not depend on it. A thread takes first from its own contiguous share, so that neighbouring calls with the same count find
  // their data in its cache. body must not throw and must not call each(). As body(block, member) it learns which of the
  // min(threads, count) threads it is on, for memory that each has of its own.
  template <typename Body>
  void each(int count, Body&& body) {
    run(count, Deal::runs, call_of(body), &body);
  }

  // The same for blocks of unlike size, the largest first: they are dealt out like cards, so that the shares weigh about the
  // same.
  template <typename Body>
  void each_dealt(int count, Body&& body) {
    run(count, Deal::cards, call_of(body), &body);
  }

  // Lets urgent tasks (encoding) run now. For points where no block is running: between steps, between chunks of a long
  // evaluation. Does nothing in an urgent task: those run one after another, in the order of their submission.
  void breathe();

 private:
  friend class ThreadPool;
  using Call = void (*)(const void* context, int block, int member);
  enum class Deal { runs, cards };
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
  Team(ThreadPool& pool, int threads, bool urgent) : pool_(pool), threads_(threads), urgent_(urgent) {}
  void run(int count, Deal deal, Call call, const void* context);

  ThreadPool& pool_;
  int threads_;
  bool urgent_;
};

using Task = std::function<void(Team&)>;

// Persistent threads: one coordinator, which runs tasks one after another, and helpers, which join it inside Team::each().
// Idle threads spin for some microseconds, then sleep. They flush denormals and run a little nicer than the rest of the process.
// Tasks must not throw.
class ThreadPool {
 public:
  enum class Priority { normal, urgent };

  ThreadPool();
  ~ThreadPool();  // finishes the tasks it holds, then joins its threads
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Queues a task for a team of so many threads (≥ 1). Urgent tasks run before normal ones, and inside a running one where it
  // breathes.
  void submit(Priority priority, int threads, Task task);

  // Submits and waits: for tests, never on the JavaScript thread.
  void run(int threads, const Task& task);

 private:
  friend class Team;
  struct Queued {
    int threads;
    Task task;
  };
  // The blocks one member starts with; others take from it when they have finished theirs.
  struct alignas(64) Share {
    std::atomic<int> next{0};
    int end = 0;
    int step = 1;
  };
  static constexpr int kMaxThreads = 256;

  void coordinate();
  void help(int member);
  void ensure_helpers(int count);
  void work(int member, int members);
  void region(int threads, int count, Team::Deal deal, Team::Call call, const void* context);
  void run_urgent();

  std::mutex queue_mutex_;
  std::condition_variable queue_changed_;
  std::deque<Queued> urgent_, normal_;
  std::atomic<int> urgent_waiting_{0};
  bool stopping_ = false;

  // The region of each() that is open. Written by the coordinator before it publishes region_, read by members after they saw it.
  std::unique_ptr<Share[]> shares_;
  Team::Call call_ = nullptr;
  const void* context_ = nullptr;
  // Number of the region in the upper bits, its members in the lower 16: one word, so that a late helper never mixes two regions.
  alignas(64) std::atomic<std::uint64_t> region_{0};
  alignas(64) std::atomic<int> unfinished_{0};

  std::mutex park_mutex_;
  std::condition_variable region_opened_;
  std::atomic<int> parked_{0};
  std::atomic<bool> helpers_stop_{false};

  std::vector<std::thread> helpers_;
  std::thread coordinator_;
};

}  // namespace layerwise

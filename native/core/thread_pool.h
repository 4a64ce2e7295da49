#pragma once
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

namespace layerwise {

class ThreadPool;

// The threads working on one task. Serial code of a task runs on the pool's coordinator; each() spreads blocks over all threads.
class Team {
 public:
  int threads() const { return threads_; }

  // Runs body(block) for block 0 … count-1 and returns when all are done. Who runs a block is not fixed; what it computes must not depend on it.
  // A thread takes first from its own contiguous share, so that neighbouring calls with the same count find their data in cache.
  // body must not throw and must not call each().
  void each(int count, const std::function<void(int block)>& body);

  // Lets urgent tasks (encoding) run now. For points where no block is running: between steps, between chunks of a long evaluation.
  void breathe();

 private:
  friend class ThreadPool;
  Team(ThreadPool& pool, int threads) : pool_(pool), threads_(threads) {}
  ThreadPool& pool_;
  int threads_;
};

using Task = std::function<void(Team&)>;

// Persistent threads: one coordinator, which runs tasks one after another, and helpers, which join it inside Team::each().
// Idle threads spin for some microseconds, then sleep. Tasks must not throw.
class ThreadPool {
 public:
  enum class Priority { normal, urgent };

  ThreadPool();
  ~ThreadPool();  // finishes the tasks it holds, then joins its threads
  ThreadPool(const ThreadPool&) = delete;
  ThreadPool& operator=(const ThreadPool&) = delete;

  // Queues a task for a team of so many threads (≥ 1). Urgent tasks run before normal ones, and inside a running one where it breathes.
  void submit(Priority priority, int threads, Task task);

  // Submits and waits: for tests and benchmarks, never on the JavaScript thread.
  void run(int threads, const Task& task);

 private:
  friend class Team;
  struct Queued {
    int threads;
    Task task;
  };
  struct alignas(64) Share {
    std::atomic<int> next{0};
    int end = 0;
  };

  void coordinate();
  void help(int index);
  void ensure_helpers(int count);
  void work(int member);
  void parallel(int threads, int count, const std::function<void(int)>& body);
  bool take_urgent(Queued& out);

  std::mutex mutex_;
  std::condition_variable wake_coordinator_;
  std::deque<Queued> urgent_, normal_;
  std::atomic<int> urgent_waiting_{0};
  bool stopping_ = false;

  // One region of each() at a time. Written by the coordinator before it raises region_, read by helpers after they saw it.
  std::vector<std::unique_ptr<Share>> shares_;
  const std::function<void(int)>* body_ = nullptr;
  int members_ = 1;
  alignas(64) std::atomic<unsigned> region_{0};
  alignas(64) std::atomic<int> unfinished_{0};
  std::mutex park_mutex_;
  std::condition_variable wake_helpers_;
  std::atomic<int> parked_{0};
  std::atomic<bool> helpers_stop_{false};

  std::vector<std::thread> helpers_;
  std::thread coordinator_;
};

}  // namespace layerwise

#include "thread_pool.h"

#include <algorithm>
#include <chrono>
#include <future>
#include <system_error>

#include "denormals.h"

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace layerwise {
namespace {

using Clock = std::chrono::steady_clock;

// How long an idle thread keeps its core before it sleeps: longer than the serial code between two regions, shorter than anyone
// notices.
constexpr std::chrono::microseconds kSpin{50};

void pause_briefly() {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

// Spins until done() or the spin is over; says which.
template <typename Done>
bool spin_until(Done done) {
  for (int i = 0; i < 64; i++) {
    if (done()) return true;
    pause_briefly();
  }
  const auto deadline = Clock::now() + kSpin;
  do {
    for (int i = 0; i < 32; i++) {
      if (done()) return true;
      pause_briefly();
    }
  } while (Clock::now() < deadline);
  return false;
}

// Gives way to the event loop and to other processes when every core is busy.
void be_nicer() {
#if defined(__linux__)
  setpriority(PRIO_PROCESS, static_cast<id_t>(syscall(SYS_gettid)), 5);
#endif
}

}  // namespace

void Team::run(int count, Deal deal, Call call, const void* context) { pool_.region(threads_, count, deal, call, context); }

void Team::breathe() {
  if (!urgent_) pool_.run_urgent();
}

ThreadPool::ThreadPool() : shares_(new Share[kMaxThreads]), coordinator_([this] { coordinate(); }) {}

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(queue_mutex_);
    stopping_ = true;
  }
  queue_changed_.notify_one();
  coordinator_.join();
  helpers_stop_.store(true);
  {
    std::lock_guard<std::mutex> lock(park_mutex_);
  }
  region_opened_.notify_all();
  for (auto& helper : helpers_) helper.join();
}

void ThreadPool::submit(Priority priority, int threads, Task task) {
  {
    std::lock_guard<std::mutex> lock(queue_mutex_);
    auto& queue = priority == Priority::urgent ? urgent_ : normal_;
    queue.push_back({std::min(std::max(threads, 1), kMaxThreads), std::move(task)});
    if (priority == Priority::urgent) urgent_waiting_.fetch_add(1);
  }
  queue_changed_.notify_one();
}

void ThreadPool::run(int threads, const Task& task) {
  std::promise<void> done;
  submit(Priority::normal, threads, [&](Team& team) {
    task(team);
    done.set_value();
  });
  done.get_future().wait();
}

void ThreadPool::coordinate() {
  DenormalsOff denormals_off;
  be_nicer();
  for (;;) {
    Queued next;
    bool urgent = false;
    {
      std::unique_lock<std::mutex> lock(queue_mutex_);
      queue_changed_.wait(lock, [&] { return stopping_ || !urgent_.empty() || !normal_.empty(); });
      urgent = !urgent_.empty();
      auto& queue = urgent ? urgent_ : normal_;
      if (queue.empty()) return;
      next = std::move(queue.front());
      queue.pop_front();
      if (urgent) urgent_waiting_.fetch_sub(1);
    }
    Team team(*this, next.threads, urgent);
    next.task(team);
  }
}

void ThreadPool::run_urgent() {
  while (urgent_waiting_.load(std::memory_order_relaxed) > 0) {
    Queued next;
    {
      std::lock_guard<std::mutex> lock(queue_mutex_);
      if (urgent_.empty()) return;
      next = std::move(urgent_.front());
      urgent_.pop_front();
      urgent_waiting_.fetch_sub(1);
    }
    Team team(*this, next.threads, true);
    next.task(team);
  }
}

// Where the system gives no more threads, those that there are do the work: no result depends on their number.
void ThreadPool::ensure_helpers(int count) {
  try {
    helpers_.reserve(static_cast<std::size_t>(count));
    while (static_cast<int>(helpers_.size()) < count) {
      const int member = static_cast<int>(helpers_.size()) + 1;
      helpers_.emplace_back([this, member] { help(member); });
    }
  } catch (const std::system_error&) {
  }
}

void ThreadPool::region(int threads, int count, Team::Deal deal, Team::Call call, const void* context) {
  int members = std::min(threads, count);
  if (members > 1) {
    ensure_helpers(members - 1);
    members = std::min(members, static_cast<int>(helpers_.size()) + 1);
  }
  if (members <= 1) {
    for (int block = 0; block < count; block++) call(context, block, 0);
    return;
  }
  call_ = call;
  context_ = context;
  const auto part = [&](std::int64_t t) { return static_cast<int>(count * t / members); };
  for (int t = 0; t < members; t++) {
    const bool runs = deal == Team::Deal::runs;
    shares_[t].next.store(runs ? part(t) : t, std::memory_order_relaxed);
    shares_[t].end = runs ? part(t + 1) : count;
    shares_[t].step = runs ? 1 : members;
  }
  unfinished_.store(members - 1, std::memory_order_relaxed);
  // Sequentially consistent with parked_: either a helper sees this region before it sleeps, or we see that it sleeps.
  region_.store(((region_.load(std::memory_order_relaxed) >> 16) + 1) << 16 | static_cast<std::uint64_t>(members));
  if (parked_.load() > 0) {
    {
      std::lock_guard<std::mutex> lock(park_mutex_);
    }
    region_opened_.notify_all();
  }
  work(0, members);
  const auto finished = [&] { return unfinished_.load(std::memory_order_acquire) == 0; };
  while (!spin_until(finished)) std::this_thread::yield();
}

void ThreadPool::work(int member, int members) {
  for (int i = 0; i < members; i++) {
    Share& share = shares_[(member + i) % members];
    for (;;) {
      const int block = share.next.fetch_add(share.step, std::memory_order_relaxed);
      if (block >= share.end) break;
      call_(context_, block, member);
    }
  }
}

void ThreadPool::help(int member) {
  DenormalsOff denormals_off;
  be_nicer();
  std::uint64_t seen = 0;
  for (;;) {
    const auto opened = [&] { return region_.load() != seen || helpers_stop_.load(std::memory_order_relaxed); };
    if (!spin_until(opened)) {
      std::unique_lock<std::mutex> lock(park_mutex_);
      parked_.fetch_add(1);
      region_opened_.wait(lock, opened);
      parked_.fetch_sub(1);
    }
    if (helpers_stop_.load()) return;
    seen = region_.load();
    const int members = static_cast<int>(seen & 0xffff);
    if (member >= members) continue;
    work(member, members);
    unfinished_.fetch_sub(1, std::memory_order_release);
  }
}

}  // namespace layerwise

#include "base/thread_pool.h"

#include <algorithm>
#include <future>
#include <system_error>

#include "base/denormals.h"
#include "base/niceness.h"

namespace layerwise {
namespace {

// Below this many operations a second thread costs more than it gains.
constexpr double kFlopsWorthAThread = 2e6;

// How long an idle helper spins before it sleeps: longer than the serial code between two regions, too short to be noticed.
constexpr std::chrono::microseconds kIdleSpin{50};

// How long the coordinator spins for helpers that have not finished a region: longer than equal shares differ, much shorter than
// the time slice of another thread on a helper's core.
constexpr std::chrono::microseconds kRegionSpin{250};

constexpr std::int64_t kEnd = -1;  // region number that tells a helper to end

}  // namespace

void Team::run(int count, Deal deal, Call call, const void* context) { pool_.region(threads_, count, deal, call, context); }

ThreadPool::~ThreadPool() {
  {
    std::lock_guard<std::mutex> lock(queue_mutex_);
    stopping_ = true;
  }
  queue_changed_.notify_one();
  if (coordinator_.joinable()) coordinator_.join();
}

void ThreadPool::submit(int threads, Task task) {
  {
    std::lock_guard<std::mutex> lock(queue_mutex_);
    if (!coordinator_.joinable()) coordinator_ = std::thread([this] { coordinate(); });
    queue_.push_back({std::min(std::max(threads, 1), kMaxThreads), std::move(task)});
  }
  queue_changed_.notify_one();
}

void ThreadPool::run(int threads, const Task& task) {
  std::promise<void> done;
  submit(threads, [&](Team& team) {
    task(team);
    done.set_value();
  });
  done.get_future().wait();
}

void ThreadPool::coordinate() {
  DenormalsOff denormals_off;
  Queued next;
  while (take(next)) {
    const int nice = nicer_than_process(nicer_);
    if (nice != nice_) set_niceness(nice_ = nice);
    Team team(*this, next.threads);
    next.task(team);
    next.task = nullptr;
    retire_helpers();
  }
  end_helpers(0);
}

// Waits for the next task; false if there will be no more.
bool ThreadPool::take(Queued& next) {
  std::unique_lock<std::mutex> lock(queue_mutex_);
  const auto changed = [&] { return stopping_ || !queue_.empty(); };
  while (!helpers_.empty() && !queue_changed_.wait_for(lock, retire_after_, changed)) {
    lock.unlock();
    retire_helpers();
    lock.lock();
  }
  queue_changed_.wait(lock, changed);
  if (queue_.empty()) return false;
  next = std::move(queue_.front());
  queue_.pop_front();
  return true;
}

// If the system refuses more threads, the existing ones do the work: no result depends on their number.
void ThreadPool::ensure_helpers(int count) {
  try {
    while (static_cast<int>(helpers_.size()) < count) {
      auto helper = std::make_unique<Helper>();
      const int member = static_cast<int>(helpers_.size()) + 1;
      helpers_.reserve(helpers_.size() + 1);
      helper->thread = std::thread([this, self = helper.get(), member] { help(*self, member); });
      helpers_.push_back(std::move(helper));
    }
  } catch (const std::system_error&) {
  }
}

void ThreadPool::retire_helpers() {
  const auto now = Clock::now();
  if (now - needed_since_ < retire_after_) return;
  end_helpers(needed_);
  needed_ = 0;
  needed_since_ = now;
}

void ThreadPool::end_helpers(std::size_t remaining) {
  while (helpers_.size() > remaining) {
    Helper& last = *helpers_.back();
    last.region.set(kEnd);
    last.thread.join();
    helpers_.pop_back();
  }
}

void ThreadPool::region(int threads, int count, Team::Deal deal, Team::Call call, const void* context) {
  int members = std::min(threads, count);
  if (members > 1) {
    ensure_helpers(members - 1);
    members = std::min(members, static_cast<int>(helpers_.size()) + 1);
    needed_ = std::max(needed_, static_cast<std::size_t>(members - 1));
  }
  if (members <= 1) {
    for (int block = 0; block < count; block++) call(context, block, 0);
    return;
  }
  call_ = call;
  context_ = context;
  members_ = members;
  const auto part = [&](std::int64_t t) { return static_cast<int>(count * t / members); };
  for (int t = 0; t < members; t++) {
    const bool runs = deal == Team::Deal::runs;
    shares_[t].next.store(runs ? part(t) : t, std::memory_order_relaxed);
    shares_[t].end = runs ? part(t + 1) : count;
    shares_[t].step = runs ? 1 : members;
  }
  unfinished_.set(members - 1);
  region_++;
  for (int member = 1; member < members; member++) helpers_[member - 1]->region.set(region_);
  work(0);
  unfinished_.wait(kRegionSpin, [](std::int64_t left) { return left == 0; });
}

void ThreadPool::work(int member) {
  for (int i = 0; i < members_; i++) {
    Share& share = shares_[(member + i) % members_];
    for (;;) {
      const int block = share.next.fetch_add(share.step, std::memory_order_relaxed);
      if (block >= share.end) break;
      call_(context_, block, member);
    }
  }
}

void ThreadPool::help(Helper& helper, int member) {
  DenormalsOff denormals_off;
  int nice = 0;
  std::int64_t seen = 0;
  for (;;) {
    seen = helper.region.wait(kIdleSpin, [&](std::int64_t region) { return region != seen; });
    if (seen == kEnd) return;
    if (nice_ != nice) set_niceness(nice = nice_);
    work(member);
    unfinished_.count_down();
  }
}

int useful_threads(double flops, int threads) {
  return std::max(1, static_cast<int>(std::min<double>(threads, flops / kFlopsWorthAThread)));
}

}  // namespace layerwise

#include "base/thread_pool.h"

#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <future>
#include <iterator>
#include <numeric>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/lanes.h"
#include "tolerances.h"

#if defined(__linux__)
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#endif

namespace layerwise {
namespace {

TEST(ThreadPool, RunsEveryBlockOnceAndMakesItsWritesVisible) {
  ThreadPool pool;
  for (int threads = 1; threads <= 7; threads++) {
    for (int count : {0, 1, 2, 3, 100, 1000}) {
      std::vector<int> runs(count, 0);  // not atomic: each block has one writer, and each() makes it visible
      pool.run(threads, [&](Team& team) {
        EXPECT_EQ(team.threads(), threads);
        team.each(count, [&](int block) { runs[block]++; });
        EXPECT_EQ(runs, std::vector<int>(count, 1)) << threads << " threads";
        team.each(count, [&](int block) { runs[block] += block; });
        for (int block = 0; block < count; block++) EXPECT_EQ(runs[block], block + 1);
        team.each_dealt(count, [&](int block) { runs[block] = -block; });
        for (int block = 0; block < count; block++) EXPECT_EQ(runs[block], -block);
      });
    }
  }
}

TEST(ThreadPool, ABlockMayUseTheMemoryOfItsMember) {
  ThreadPool pool;
  for (int threads : {1, 2, 5}) {
    for (int count : {1, 3, 500}) {
      pool.run(threads, [&](Team& team) {
        std::vector<std::set<std::thread::id>> ids(std::min(threads, count));  // not atomic: one thread a member
        std::vector<int> blocks(ids.size(), 0);
        const auto body = [&](int, int member) {
          ids.at(member).insert(std::this_thread::get_id());
          blocks.at(member)++;
        };
        team.each(count, body);
        team.each_dealt(count, body);
        EXPECT_EQ(std::accumulate(blocks.begin(), blocks.end(), 0), 2 * count);
        for (const auto& of_member : ids) EXPECT_LE(of_member.size(), 1u);
      });
    }
  }
}

// A thread with a long block does not delay its other blocks: idle threads take them.
TEST(ThreadPool, RemainingBlocksGoToIdleThreads) {
  ThreadPool pool;
  pool.run(2, [](Team& team) {
    std::atomic<int> others{0};
    int before_the_first_ended = 0;
    team.each_dealt(9, [&](int block) {
      if (block > 0) others.fetch_add(1);
      const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
      while (block == 0 && others.load() < 8 && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
      if (block == 0) before_the_first_ended = others.load();
    });
    EXPECT_EQ(before_the_first_ended, 8);
  });
}

TEST(ThreadPool, EachSeesTheWritesOfThePreviousRegion) {
  ThreadPool pool;
  pool.run(4, [](Team& team) {
    std::vector<long> values(64, 0);
    for (int region = 0; region < 200; region++) {
      std::vector<long> next(64);
      team.each(64, [&](int i) { next[i] = values[(i + 17) % 64] + i; });
      values = next;
    }
    long sum = 0;
    for (long value : values) sum += value;
    EXPECT_EQ(sum, 200L * 63 * 64 / 2);
  });
}

TEST(ThreadPool, AnotherThreadTakesTheBlocksOfADelayedThread) {
  ThreadPool pool;
  pool.run(2, [](Team& team) {
    std::atomic<int> done{0};
    std::atomic<bool> held_up{false};
    std::vector<std::thread::id> runner(100);
    team.each(100, [&](int block) {
      runner[block] = std::this_thread::get_id();
      // The first thread waits in its first block until everything else is done: only stealing gets it out. Nothing else begins
      // before that, or the other thread might be through with its own blocks and take this one too.
      if (block == 0) {
        held_up.store(true);
        while (done.load() < 99) std::this_thread::yield();
      }
      while (!held_up.load()) std::this_thread::yield();
      done++;
    });
    EXPECT_EQ(std::set<std::thread::id>(runner.begin() + 1, runner.end()).count(runner[0]), 0u);
  });
}

TEST(ThreadPool, SurvivesThousandsOfTinyRegionsWithChangingTeams) {
  ThreadPool pool;
  std::atomic<long> sum{0};
  for (int task = 0; task < 20; task++) {
    pool.run(1 + task % 5, [&](Team& team) {
      for (int region = 0; region < 200; region++) {
        team.each(1 + region % 7, [&](int) { sum.fetch_add(1, std::memory_order_relaxed); });
      }
    });
  }
  long expected = 0;
  for (int region = 0; region < 200; region++) expected += 1 + region % 7;
  EXPECT_EQ(sum.load(), 20 * expected);
}

TEST(ThreadPool, RunsTasksOneAfterAnotherInTheOrderOfTheirSubmission) {
  std::vector<int> finished;  // not atomic: one task at a time
  {
    ThreadPool pool;
    for (int i = 0; i < 1000; i++) pool.submit(1 + i % 3, [&, i](Team&) { finished.push_back(i); });
  }
  std::vector<int> expected(1000);
  std::iota(expected.begin(), expected.end(), 0);
  EXPECT_EQ(finished, expected);
}

TEST(ThreadPool, TakesTasksFromSeveralThreadsAtOnce) {
  ThreadPool pool;
  long sum = 0;  // tasks run one after another
  const auto submit = [&](int threads) {
    for (int i = 0; i < 300; i++) {
      std::atomic<long> blocks{0};
      pool.run(threads, [&](Team& team) {
        team.each(5, [&](int) { blocks++; });
        sum += blocks;
      });
    }
  };
  std::thread one([&] { submit(2); }), two([&] { submit(3); });
  one.join();
  two.join();
  pool.run(1, [&](Team&) { EXPECT_EQ(sum, 2 * 300 * 5); });
}

TEST(ThreadPool, FinishesItsTasksInItsDestructor) {
  int ran = 0;
  {
    ThreadPool pool;
    for (int i = 0; i < 50; i++) {
      pool.submit(2, [&](Team& team) {
        std::atomic<int> blocks{0};
        team.each(4, [&](int) { blocks++; });
        ran += blocks;
      });
    }
  }
  EXPECT_EQ(ran, 200);
}

#if defined(__linux__)
int threads_of_process() {
  const std::filesystem::directory_iterator tasks("/proc/self/task");
  return static_cast<int>(std::distance(begin(tasks), end(tasks)));
}

// A thread that was joined may be listed for a moment longer.
int threads_once_quiet() {
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  return threads_of_process();
}

bool becomes_so_many_threads(int count) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(20);
  while (threads_of_process() != count && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
  return threads_of_process() == count;
}

TEST(ThreadPool, LeavesNoThreadsAfterItsDestructor) {
  const int others = threads_once_quiet();
  for (int threads : {1, 2, 5}) {
    ThreadPool pool;
    pool.run(threads, [&](Team& team) { team.each(100, [](int) {}); });
  }
  EXPECT_TRUE(becomes_so_many_threads(others));
}
#endif

TEST(ThreadPool, FlushesDenormalsOnItsThreadsOnly) {
  ThreadPool pool;
  const volatile double smallest = 5e-324, one = 1;
  std::vector<double> products(64, -1);
  pool.run(3, [&](Team& team) { team.each(64, [&](int i) { products[i] = smallest * one; }); });
#if defined(__x86_64__) || defined(__aarch64__)
  EXPECT_EQ(products, std::vector<double>(64, 0.0));
#endif
  EXPECT_EQ(smallest * one, 5e-324);
}

#if defined(__linux__) || defined(__APPLE__)
double process_seconds() {
  timespec now{};
  clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

TEST(ThreadPool, SleepsWithoutWork) {
  ThreadPool pool;
  pool.run(4, [](Team& team) { team.each(100, [](int) {}); });
  std::this_thread::sleep_for(std::chrono::milliseconds(20));
  const double before = process_seconds();
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  EXPECT_LT(process_seconds() - before, tolerance::kIdleSeconds);
}
#endif

#if defined(__linux__)
void use_threads(ThreadPool& pool, int threads) {
  pool.run(threads, [&](Team& team) { team.each(threads, [](int) {}); });
}

TEST(ThreadPool, StartsNoThreadBeforeATaskAndAtMostOneForEachBlock) {
  const int others = threads_once_quiet();
  ThreadPool pool;
  EXPECT_EQ(threads_of_process(), others);
  pool.run(24, [](Team& team) { team.each(3, [](int) {}); });
  EXPECT_EQ(threads_of_process(), others + 3);
}

TEST(ThreadPool, EndsHelpersThatWereNotNeededForAWhile) {
  const int others = threads_once_quiet();
  ThreadPool pool(0, std::chrono::milliseconds(20));
  use_threads(pool, 9);
  EXPECT_EQ(threads_of_process(), others + 9);
  std::atomic<bool> goes_on{true};
  std::thread small_tasks([&] {
    while (goes_on.load()) use_threads(pool, 3);
  });
  EXPECT_TRUE(becomes_so_many_threads(others + 1 + 3)) << "beside tasks of three threads";
  goes_on.store(false);
  small_tasks.join();
  EXPECT_TRUE(becomes_so_many_threads(others + 1)) << "without tasks";
  use_threads(pool, 9);
  EXPECT_EQ(threads_of_process(), others + 9);
}

// How often a thread of this process went to sleep so far.
std::string times_slept(pid_t thread) {
  std::ifstream status("/proc/self/task/" + std::to_string(thread) + "/status");
  for (std::string line; std::getline(status, line);) {
    if (line.rfind("voluntary_ctxt_switches", 0) == 0) return line;
  }
  return "gone";
}

TEST(ThreadPool, WakesOnlyTheMembersOfARegion) {
  ThreadPool pool(0, std::chrono::minutes(10));
  std::vector<pid_t> ids(8);
  pool.run(8, [&](Team& team) {
    std::atomic<int> begun{0};
    team.each(8, [&](int, int member) {
      ids[member] = static_cast<pid_t>(syscall(SYS_gettid));
      begun++;
      while (begun.load() < 8) std::this_thread::yield();
    });
  });
  const auto sleeps = [&] {
    std::vector<std::string> all;
    for (std::size_t member = 2; member < ids.size(); member++) all.push_back(times_slept(ids[member]));
    return all;
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(200));
  const auto before = sleeps();
  pool.run(2, [&](Team& team) {
    for (int region = 0; region < 50; region++) {
      team.each(2, [](int) {});
      std::this_thread::sleep_for(std::chrono::microseconds(200));
    }
  });
  EXPECT_EQ(sleeps(), before);
}

std::set<int> niceness_of_members(ThreadPool& pool) {
  std::vector<int> nice(3);
  pool.run(3, [&](Team& team) {
    std::atomic<int> begun{0};
    team.each(3, [&](int, int member) {
      nice[member] = getpriority(PRIO_PROCESS, 0);
      begun++;
      while (begun.load() < 3) std::this_thread::yield();
    });
  });
  return {nice.begin(), nice.end()};
}

// Nothing here lowers niceness, so the test needs no privilege; the process stays a little nicer afterwards.
TEST(ThreadPool, IsNicerThanTheProcessByAFixedNumberAndFollowsIt) {
  ThreadPool as_nice, nicer(5), nicest(40);
  const auto process = [] { return getpriority(PRIO_PROCESS, static_cast<id_t>(getpid())); };
  for (int more = 0; more < 2; more++) {
    ASSERT_EQ(setpriority(PRIO_PROCESS, static_cast<id_t>(getpid()), std::min(19, process() + more)), 0);
    EXPECT_EQ(niceness_of_members(as_nice), std::set<int>{process()});
    EXPECT_EQ(niceness_of_members(nicer), std::set<int>{std::min(19, process() + 5)});
    EXPECT_EQ(niceness_of_members(nicest), std::set<int>{19});
  }
}
#endif

TEST(Lanes, DoNotWaitForEachOther) {
  const std::vector<Lane> all = {Lane::express, Lane::bulk, Lane::training, Lane::decomposition};
  for (const Lane busy : all) {
    for (const Lane other : all) {
      if (busy == other) continue;
      Lanes lanes;
      std::promise<void> begun, answered;
      std::promise<bool> saw_the_answer;
      lanes[busy].submit(1, [&](Team&) {
        begun.set_value();
        saw_the_answer.set_value(answered.get_future().wait_for(std::chrono::seconds(20)) == std::future_status::ready);
      });
      begun.get_future().wait();
      lanes[other].run(1, [&](Team&) { answered.set_value(); });
      EXPECT_TRUE(saw_the_answer.get_future().get());
    }
  }
}

TEST(Lanes, SeparateShortAnswersFromLongOnes) {
  EXPECT_EQ(Lanes::of(2.0 * 784 * 196), Lane::express);
  EXPECT_EQ(Lanes::of(2.0 * 784 * 196 * 2000), Lane::bulk);
}

}  // namespace
}  // namespace layerwise

#pragma once
#include <algorithm>
#include <atomic>
#include <cerrno>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "rows/file_system.h"

namespace layerwise {

// The machine's files with faults in the place of some of their answers.
class FaultyFiles final : public FileSystem {
 public:
  int open(const std::string& path, File& file) override {
    if (before_open) before_open();
    if (open_files.load() >= most_files) return EMFILE;
    const int error = system_files().open(path, file);
    if (error != 0) return error;
    opened++;
    const int now = ++open_files;
    for (int seen = most_open.load(); seen < now && !most_open.compare_exchange_weak(seen, now);) {
    }
    return 0;
  }
  int identify(File file, FileIdentity& identity) override { return system_files().identify(file, identity); }
  std::ptrdiff_t read(File file, void* out, std::size_t bytes, std::uint64_t offset) override {
    std::ptrdiff_t answer = static_cast<std::ptrdiff_t>(bytes);
    if (before_read) answer = before_read(bytes, offset);
    if (answer <= 0) return answer;
    return system_files().read(file, out, std::min(bytes, static_cast<std::size_t>(answer)), offset);
  }
  void close(File file) override {
    open_files--;
    system_files().close(file);
  }
  void expect(File file, Access access) override { system_files().expect(file, access); }
  void forget(File file, std::uint64_t offset, std::uint64_t bytes) override {
    forgotten += bytes;
    system_files().forget(file, offset, bytes);
  }

  std::function<void()> before_open;
  // How many bytes are read at most; 0 or an error: that is the answer.
  std::function<std::ptrdiff_t(std::size_t bytes, std::uint64_t offset)> before_read;
  int most_files = 1 << 20;
  std::atomic<int> open_files{0}, most_open{0}, opened{0};
  std::atomic<std::uint64_t> forgotten{0};
};

// One that outlives the threads that a source left alone in its calls.
inline FaultyFiles& lasting_faulty_files() {
  static auto& all = *new std::vector<std::unique_ptr<FaultyFiles>>();
  all.push_back(std::make_unique<FaultyFiles>());
  return *all.back();
}

// Where threads hang until they are let go.
class Hang {
 public:
  void here() {
    std::unique_lock<std::mutex> lock(mutex_);
    hanging_++;
    changed_.notify_all();
    changed_.wait(lock, [&] { return free_; });
    hanging_--;
    changed_.notify_all();
  }
  void until_hanging() {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [&] { return hanging_ > 0; });
  }
  // And waits until all are gone.
  void let_go() {
    std::unique_lock<std::mutex> lock(mutex_);
    free_ = true;
    changed_.notify_all();
    changed_.wait(lock, [&] { return hanging_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  int hanging_ = 0;
  bool free_ = false;
};

}  // namespace layerwise

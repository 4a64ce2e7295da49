#include "rows/read_ahead.h"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <new>
#include <system_error>
#include <thread>

#include "base/loaded_code.h"
#include "base/thread_name.h"
#include "rows/file_error.h"

namespace layerwise {
namespace {

// How long a raised stop flag may go unseen, and how long the end waits for a thread that reads.
constexpr std::chrono::milliseconds kPoll{5}, kPatience{20};

}  // namespace

// What the threads use. A thread that hangs keeps it.
struct ReadAhead::Shared {
  Shared(const RowFiles& files, std::size_t row_bytes, bool forgetful, std::unique_ptr<ValueCheck> value_check)
      : reader(files.segments, row_bytes, *files.system, forgetful), ranges(files.ranges), check(std::move(value_check)) {}

  void read(const Window& window, const Window::Piece& piece, int& failed_at);
  bool take_memory(Window& window);
  void give_back(Window& window);
  void drop(Window& window);

  SegmentReader reader;
  const std::optional<RowRanges> ranges;
  const std::unique_ptr<ValueCheck> check;

  std::mutex mutex;
  std::condition_variable wanted_more, was_read;
  // Guarded by the mutex.
  std::vector<std::shared_ptr<Window>> wanted;
  std::vector<Buffer<char>> free;  // slots that no window has
  std::size_t slots = 0, made = 0;
  bool ended = false;
};

struct ReadAhead::Thread {
  std::thread thread;
  std::shared_ptr<bool> reading;  // guarded by the mutex
};

ReadAhead::ReadAhead(const RowFiles& files, std::size_t row_bytes, bool forgetful, std::unique_ptr<ValueCheck> check)
    : shared_(std::make_shared<Shared>(files, row_bytes, forgetful, std::move(check))) {}

ReadAhead::~ReadAhead() {
  {
    std::unique_lock<std::mutex> lock(shared_->mutex);
    shared_->ended = true;
    shared_->wanted_more.notify_all();
    const auto at_rest = [&] { return std::none_of(threads_.begin(), threads_.end(), [](Thread& t) { return *t.reading; }); };
    shared_->was_read.wait_for(lock, kPatience, at_rest);
    for (Thread& thread : threads_) {
      if (!*thread.reading) continue;
      // It returns from its system call at some time, into this code.
      keep_code_loaded();
      thread.thread.detach();
    }
  }
  for (Thread& thread : threads_) {
    if (thread.thread.joinable()) thread.thread.join();
  }
}

bool ReadAhead::checks() const { return shared_->check != nullptr; }

void ReadAhead::start_thread() {
  if (threads_.size() == kMostThreads) return;
  Thread thread;
  thread.reading = std::make_shared<bool>(false);
  try {
    thread.thread = std::thread([shared = shared_, reading = thread.reading] {
      name_this_thread("layerwise-read");
      work(shared, *reading);
    });
  } catch (const std::system_error&) {
    // The system has no further thread: those that there are go on.
    if (threads_.empty()) throw;
    return;
  }
  threads_.push_back(std::move(thread));
}

void ReadAhead::want(const std::vector<std::shared_ptr<Window>>& windows, std::size_t slots) {
  {
    const std::lock_guard<std::mutex> lock(shared_->mutex);
    for (const auto& window : shared_->wanted) {
      if (std::find(windows.begin(), windows.end(), window) == windows.end()) shared_->drop(*window);
    }
    shared_->wanted = windows;
    shared_->slots = slots;
    shared_->wanted_more.notify_all();
  }
  if (threads_.empty()) start_thread();
}

bool ReadAhead::wait_for(const Window& window, const StopFlag* stop) {
  std::unique_lock<std::mutex> lock(shared_->mutex);
  if (!window.is_read()) {
    lock.unlock();
    start_thread();
    lock.lock();
  }
  while (!window.is_read()) {
    if (stop != nullptr && stop->raised()) return false;
    shared_->was_read.wait_for(lock, kPoll);
  }
  if (window.failure) std::rethrow_exception(window.failure);
  return true;
}

void ReadAhead::work(const std::shared_ptr<Shared>& shared, bool& reading) {
  std::unique_lock<std::mutex> lock(shared->mutex);
  while (!shared->ended) {
    std::shared_ptr<Window> window;
    std::exception_ptr failure;
    for (const auto& next : shared->wanted) {
      if (next->begun == next->pieces.size()) continue;
      try {
        if (!shared->take_memory(*next)) break;
      } catch (const std::bad_alloc&) {
        failure = std::current_exception();
      }
      window = next;
      break;
    }
    if (!window) {
      shared->wanted_more.wait(lock);
      continue;
    }
    const Window::Piece piece = window->pieces[window->begun++];
    window->reading++;
    int failed_at = piece.first;
    if (!failure) {
      reading = true;
      lock.unlock();
      bool lost = false;
      try {
        shared->read(*window, piece, failed_at);
      } catch (const FileError&) {
        failure = std::current_exception();
        lost = true;
      } catch (...) {
        failure = std::current_exception();
      }
      lock.lock();
      reading = false;
      // What is left of it is worth nothing, and a disk that fails may take long for each piece.
      if (lost) window->begun = window->pieces.size();
    }
    window->reading--;
    if (failure && (!window->failure || failed_at < window->failed_at)) {
      window->failure = failure;
      window->failed_at = failed_at;
    }
    if (window->dropped && window->reading == 0) shared->give_back(*window);
    if (window->is_read() || shared->ended) shared->was_read.notify_all();
  }
}

// Throws FileError and BadValue; failed_at is then the position.
void ReadAhead::Shared::read(const Window& window, const Window::Piece& piece, int& failed_at) {
  const std::size_t row_bytes = reader.row_bytes();
  char* out = window.memory.data() + piece.at;
  for (int done = 0; done < piece.count;) {
    const auto position = static_cast<std::uint32_t>(piece.first + done);
    const auto left = static_cast<std::uint32_t>(piece.count - done);
    const std::uint32_t row = ranges ? ranges->row(position) : position;
    const std::uint32_t count = ranges ? std::min(left, ranges->neighbours(position)) : left;
    failed_at = static_cast<int>(position);
    char* rows = out + done * row_bytes;
    reader.read(row, count, rows, window.access);
    if (window.checked) {
      if (const auto bad = check->first_bad(rows, static_cast<int>(count))) {
        failed_at += bad->row;
        const std::uint32_t bad_row = row + static_cast<std::uint32_t>(bad->row);
        throw BadValue(reader.path_of(bad_row), bad_row, bad->column, bad->value);
      }
    }
    done += static_cast<int>(count);
  }
}

// False: all slots are in use.
bool ReadAhead::Shared::take_memory(Window& window) {
  if (window.memory.size() >= window.bytes) return true;
  const auto fitting =
      std::find_if(free.begin(), free.end(), [&](const Buffer<char>& slot) { return slot.size() >= window.bytes; });
  if (fitting != free.end()) {
    window.memory = std::move(*fitting);
    free.erase(fitting);
  } else {
    if (made >= slots) {
      if (free.empty()) return false;
      free.pop_back();  // too small
      made--;
    }
    window.memory = Buffer<char>(window.bytes);
    made++;
  }
  window.borrowed = true;
  return true;
}

void ReadAhead::Shared::give_back(Window& window) {
  if (!window.borrowed) return;
  window.borrowed = false;
  if (made > slots) {
    window.memory = Buffer<char>();
    made--;
  } else {
    free.push_back(std::move(window.memory));
  }
  wanted_more.notify_all();
}

// It will not be waited for. Its memory is free again when no thread reads into it.
void ReadAhead::Shared::drop(Window& window) {
  window.dropped = true;
  window.begun = window.pieces.size();
  if (window.reading == 0) give_back(window);
}

}  // namespace layerwise

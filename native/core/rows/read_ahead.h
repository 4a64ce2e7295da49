#pragma once
#include <cstddef>
#include <cstdint>
#include <exception>
#include <memory>
#include <optional>
#include <vector>

#include "base/buffer.h"
#include "base/stop_flag.h"
#include "rows/segment_reader.h"
#include "rows/value_check.h"

namespace layerwise {

// Rows of a source that are read together, in pieces: each is rows at neighbouring positions, one after another in the memory of
// the window.
struct Window {
  struct Piece {
    int first, count;  // positions
    std::size_t at;    // in the memory
  };
  std::vector<Piece> pieces;
  std::size_t bytes = 0;
  FileSystem::Access access = FileSystem::Access::in_order;
  bool checked = false;  // whether its values are looked at

  // Its memory; of its own where it is there before the window is read.
  Buffer<char> memory;

 private:
  friend class ReadAhead;
  // Guarded by the mutex of the threads that read.
  std::size_t begun = 0, reading = 0;  // pieces
  bool dropped = false;
  bool borrowed = false;  // its memory is one of the slots
  int failed_at = 0;      // position of the first failure
  std::exception_ptr failure;

  bool is_read() const { return begun == pieces.size() && reading == 0; }
};

// Threads that read windows before they are asked for. A thread that hangs in a system call keeps nobody waiting: it owns, with
// others, all that it uses, and is left alone. Used serially.
class ReadAhead {
 public:
  ReadAhead(const RowFiles& files, std::size_t row_bytes, bool forgetful, std::unique_ptr<ValueCheck> check);
  // Waits for threads that are at rest, not for one that hangs.
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  // These windows are wanted from now on, the first first, and no others; at most `slots` of them have memory at a time.
  void want(const std::vector<std::shared_ptr<Window>>& windows, std::size_t slots);

  // Until this window, one of those wanted, is read. Returns false if stop was raised before. Throws what reading it threw, and
  // BadValue for the first bad value in it.
  bool wait_for(const Window& window, const StopFlag* stop);

  // Whether there is something to look for in windows.
  bool checks() const;

  // Threads at most; more are started where reading falls behind.
  static constexpr int kMostThreads = 4;

 private:
  struct Shared;
  struct Thread;

  static void work(const std::shared_ptr<Shared>& shared, bool& reading);
  void start_thread();

  std::shared_ptr<Shared> shared_;
  std::vector<Thread> threads_;
};

}  // namespace layerwise

#pragma once
#include <cstdint>
#include <memory>
#include <vector>

#include "base/stop_flag.h"
#include "rows/block_pass.h"
#include "rows/memory_rows.h"
#include "rows/read_ahead.h"

namespace layerwise {

// The part of a file's rows that is in memory: the windows that the open positions need, and those that come next in the pass.
// follow(), look() and open() are called serially, row() by any thread.
class FileWindows {
 public:
  // Rows with files.
  explicit FileWindows(const Rows& rows);

  void follow(const BlockPass& pass, const BlockPass* next);
  void until(const StopFlag* stop) { stop_ = stop; }
  // Rows that are read for this call alone.
  void look(int first, int count) { read_alone(nullptr, first, count, false); }
  // Positions of an order are those of a pass that is followed; without one they are read for this call alone.
  void open(const std::uint32_t* order, int first, int count);

  // False: stop was raised before the rows were there.
  bool is_open() const { return open_; }
  // The row at position i of `order`, as it is stored: one of the opened ones.
  const char* row(const std::uint32_t* order, int i) const {
    if (alone_ != nullptr) return alone_->memory.data() + static_cast<std::size_t>(i - alone_first_) * row_bytes_;
    const auto position = static_cast<int>(order != nullptr ? order[i] : static_cast<std::uint32_t>(i));
    const int block = pass_->blocks.block_of(position);
    const Place place = pass_->places[block];
    const std::size_t row = place.row + static_cast<std::uint32_t>(position - pass_->blocks.begin(block));
    return opened_[place.window - first_window_] + row * row_bytes_;
  }

  std::size_t row_bytes() const { return row_bytes_; }
  // At most, of all windows together.
  std::size_t bytes() const;

 private:
  // Where a block is during a pass: the window, and the row in it.
  struct Place {
    int window;
    std::uint32_t row;
  };
  struct Pass {
    explicit Pass(BlockPass blocks_in_order);
    int block_rows() const { return blocks.first_rows > blocks.block_rows ? blocks.first_rows : blocks.block_rows; }

    BlockPass blocks;
    std::vector<Place> places;  // [blocks]
    std::vector<bool> checked;  // [windows] whose values were looked at
    int unchecked;              // windows
  };
  // One of the windows that are in memory or on their way.
  struct Wanted {
    std::shared_ptr<Pass> pass;
    int index;
    std::shared_ptr<Window> window;
  };

  std::shared_ptr<Pass> sequential();
  void aim(const std::shared_ptr<Pass>& pass, int window, int needed);
  std::shared_ptr<Window> window_of(const std::shared_ptr<Pass>& pass, int index);
  void read_alone(const std::uint32_t* order, int first, int count, bool checked);
  void want(const std::shared_ptr<Window>& alone);

  const int count_;
  const std::size_t row_bytes_;
  bool checking_;  // until every row was looked at
  ReadAhead ahead_;
  const StopFlag* stop_ = nullptr;
  std::shared_ptr<Pass> sequential_, followed_, next_;  // null where there is none yet
  std::vector<Wanted> wanted_;
  std::size_t slots_ = 2;
  bool goes_round_ = false;  // passes in the rows' own order follow one another

  // What is open.
  bool open_ = false;
  std::shared_ptr<Window> alone_;  // rows that were read alone, from position alone_first_ on; else:
  int alone_first_ = 0;
  std::shared_ptr<Pass> pass_;
  int first_window_ = 0;
  std::vector<const char*> opened_;  // memory of the windows from first_window_ on
};

}  // namespace layerwise

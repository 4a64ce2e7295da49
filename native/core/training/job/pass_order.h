#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "rows/block_pass.h"
#include "rows/row_source.h"

namespace layerwise {

// The order of the rows in one pass: the windows one after another, the rows of each shuffled. One window is held at a time, and
// shuffled as far as it was asked for, so that the order of any number of rows takes bounded memory and time at each step.
class PassOrder {
 public:
  // Another pass. The order is a function of it and of (seed, index); that of one window is as permutation() orders.
  void begin(BlockPass pass, std::uint64_t seed, std::uint64_t index);

  const BlockPass& pass() const { return pass_; }

  // out [count] = the entries (RowSource::entries) at places first … first+count-1. From front to back; a place before those of
  // the last call costs a new start.
  template <typename T>
  void copy(const RowSource<T>& rows, int first, int count, std::uint32_t* out);

 private:
  bool open_window_with(int place);
  template <typename T>
  void lay_out(const RowSource<T>& rows);

  BlockPass pass_;
  std::uint64_t seed_ = 0, index_ = 0;
  int window_ = -1;
  int begin_ = 0, end_ = 0;             // places of the window
  std::vector<std::uint32_t> entries_;  // of the window; those that shuffle_ has not placed yet are in some other order
  std::optional<Shuffle> shuffle_;
};

}  // namespace layerwise

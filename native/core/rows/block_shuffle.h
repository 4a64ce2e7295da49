#pragma once
#include <cstddef>
#include <cstdint>

#include "rows/block_pass.h"

namespace layerwise {

// Bytes of rows that are shuffled among each other.
inline constexpr std::size_t kWindowBytes = std::size_t{128} << 20;

// How rows are cut for a shuffle by blocks. It follows from what cut_in_blocks() is given, so it is the same on every machine, at
// any number of threads, in files and in memory.
struct BlockCut {
  int rows = 0;
  int block_rows = 1;     // of every block but the first and the last of a pass
  int window_blocks = 1;  // of every window but the last
  bool one_window = true;

  // The most that a window has.
  int window_rows() const;
};

// Of rows of so many bytes each, `batch` of them a step. A window has about window_bytes, or a batch where that is more; every
// window but the last has at least a batch of rows, so that a batch lies in two windows at most. A block is a 1024th of
// window_bytes. Where a window then has fewer than 4 blocks for each row of a batch, blocks are smaller, down to an 8192nd: rows
// of a block are often alike, and a batch should have few of each.
BlockCut cut_in_blocks(int rows, std::size_t row_bytes, int batch, std::size_t window_bytes = kWindowBytes);

// The blocks of one epoch in a random order, their edges moved by a random number of rows; a function of the cut, the seed and
// the index. Rows of one window are one window, their blocks in their own order.
BlockPass shuffled_pass(const BlockCut& cut, std::uint64_t seed, std::uint64_t index);

// All rows in one window of one block.
BlockPass whole_pass(int rows);

}  // namespace layerwise

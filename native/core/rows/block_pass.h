#pragma once
#include <cstdint>
#include <vector>

namespace layerwise {

// One pass over `count` positions of a source's own order, cut into blocks of neighbours, which come in windows: rows of one
// window are in memory together.
struct BlockPass {
  int count = 0;
  int block_rows = 1;  // of every block but the first and the last
  int first_rows = 1;  // of the first block: how far the edges of blocks are moved
  int window_blocks = 1;
  std::vector<std::uint32_t> blocks;  // all of them, in the order of the pass

  int block_count() const { return static_cast<int>(blocks.size()); }
  int begin(int block) const { return block == 0 ? 0 : first_rows + (block - 1) * block_rows; }
  int end(int block) const { return block + 1 == block_count() ? count : first_rows + block * block_rows; }
  int block_of(int position) const { return position < first_rows ? 0 : 1 + (position - first_rows) / block_rows; }

  int window_count() const { return (block_count() + window_blocks - 1) / window_blocks; }
};

}  // namespace layerwise

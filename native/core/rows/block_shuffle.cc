#include "rows/block_shuffle.h"

#include <algorithm>
#include <numeric>

#include "base/random.h"

namespace layerwise {
namespace {

constexpr std::size_t kBlocksInWindow = 1024, kMostBlocksInWindow = 8192;
constexpr std::int64_t kBlocksForEachRow = 4;  // of a batch
// The order of a window is held in memory.
constexpr std::size_t kMostWindowRows = std::size_t{1} << 21;

std::int64_t ceiling(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

}  // namespace

int BlockCut::window_rows() const {
  return static_cast<int>(std::min<std::int64_t>(rows, std::int64_t{window_blocks} * block_rows));
}

BlockCut cut_in_blocks(int rows, std::size_t row_bytes, int batch, std::size_t window_bytes) {
  const auto rows_in = [&](std::size_t bytes) { return static_cast<std::int64_t>(std::min(bytes / row_bytes, kMostWindowRows)); };
  const std::int64_t windows = ceiling(rows, std::max<std::int64_t>({rows_in(window_bytes), batch, 1}));
  const std::int64_t window_rows = ceiling(rows, windows);
  const std::int64_t least = rows_in(window_bytes / kMostBlocksInWindow), most = rows_in(window_bytes / kBlocksInWindow);
  const std::int64_t wanted = window_rows / (kBlocksForEachRow * batch);
  const std::int64_t block_rows = std::max<std::int64_t>(1, std::clamp(wanted, least, most));

  // At most, wherever their edges are. The first and the last may be short, and both may be in one window.
  const std::int64_t blocks = 1 + ceiling(rows - 1, block_rows);
  const std::int64_t window_blocks = std::max(ceiling(blocks, windows), ceiling(batch, block_rows) + 2);
  BlockCut cut;
  cut.rows = rows;
  cut.block_rows = static_cast<int>(block_rows);
  cut.window_blocks = static_cast<int>(std::min(blocks, window_blocks));
  cut.one_window = windows == 1 || window_blocks >= blocks;
  return cut;
}

BlockPass shuffled_pass(const BlockCut& cut, std::uint64_t seed, std::uint64_t index) {
  BlockPass pass;
  pass.count = cut.rows;
  pass.block_rows = pass.first_rows = cut.block_rows;
  if (!cut.one_window) {
    const Words words = Draws(seed, static_cast<std::uint32_t>(Stream::block_edges), index).block(0);
    pass.first_rows = 1 + static_cast<int>(below(cut.block_rows, words[0], words[1]));
  }
  const std::int64_t after_first = std::max(0, cut.rows - pass.first_rows);
  pass.blocks.resize(1 + ceiling(after_first, cut.block_rows));
  if (cut.one_window) {
    std::iota(pass.blocks.begin(), pass.blocks.end(), 0u);
    pass.window_blocks = pass.block_count();
  } else {
    permutation(pass.blocks.data(), pass.block_count(), seed, static_cast<std::uint32_t>(Stream::blocks), index);
    pass.window_blocks = cut.window_blocks;
  }
  return pass;
}

BlockPass whole_pass(int rows) {
  BlockPass pass;
  pass.count = pass.block_rows = pass.first_rows = rows;
  pass.blocks = {0};
  return pass;
}

}  // namespace layerwise

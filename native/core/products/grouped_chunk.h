#pragma once
#include <vector>

#include "base/buffer.h"
#include "base/matrix.h"
#include "kernels/row_groups.h"

namespace layerwise {

// The row blocks of a chunk in groups without most of their zeros, and the memory they lie in.
template <typename T>
class GroupedChunk {
 public:
  GroupedChunk() = default;
  GroupedChunk(int most_rows, int most_blocks, int cols);

  // What one occupies at most, but for a hundredth: rows' order and where groups begin are not counted.
  static std::size_t bytes(int most_rows, int most_blocks, int cols);

  // Begins a chunk that is cut so. Serially.
  void open(const Cut& blocks);
  // Block `block` is these rows. Any thread, each block by one.
  void put(int block, MatrixView<const T> x);

  const RowGroups<T>& block(int block) const { return blocks_[block]; }
  const RowGroups<T>* blocks() const { return blocks_.data(); }

  // Which share of their columns the groups keep that begin at every `step`-th row of x.
  static double kept_share(MatrixView<const T> x, int step);

 private:
  int cols_ = 0;
  std::size_t bands_ = 0;
  Buffer<T> values_;
  Buffer<std::uint16_t> order_, columns_;
  Buffer<std::uint32_t> starts_;
  std::vector<RowGroups<T>> blocks_;
};

}  // namespace layerwise

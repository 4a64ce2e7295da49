#include "products/grouped_chunk.h"

#include "kernels/vector_kernels.h"

namespace layerwise {
namespace {

constexpr int kRows = RowGroups<float>::kRows;
static_assert(kRows == 3);

// Enough for `rows` rows in `blocks` blocks: the last group of each may be incomplete.
std::size_t most_groups(int rows, int blocks) { return static_cast<std::size_t>(rows / kRows + blocks); }

// And their columns, with the room that each block wants behind its own (RowGroups::most_columns).
std::size_t most_columns(int rows, int blocks, int cols) {
  return most_groups(rows, blocks) * cols + static_cast<std::size_t>(blocks) * RowGroups<float>::kSpare;
}

}  // namespace

template <typename T>
GroupedChunk<T>::GroupedChunk(int most_rows, int most_blocks, int cols)
    : cols_(cols), bands_(static_cast<std::size_t>(vector_kernels<T>().bands(cols))) {
  const std::size_t groups = most_groups(most_rows, most_blocks);
  const std::size_t columns = most_columns(most_rows, most_blocks, cols);
  order_ = Buffer<std::uint16_t>(most_rows);
  values_ = Buffer<T>(columns * kRows);
  columns_ = Buffer<std::uint16_t>(columns);
  starts_ = Buffer<std::uint32_t>(groups * bands_ + most_blocks);
}

template <typename T>
std::size_t GroupedChunk<T>::bytes(int most_rows, int most_blocks, int cols) {
  return most_columns(most_rows, most_blocks, cols) * (kRows * sizeof(T) + sizeof(std::uint16_t));
}

template <typename T>
void GroupedChunk<T>::open(const Cut& blocks) {
  blocks_.resize(static_cast<std::size_t>(blocks.count));
  for (int b = 0; b < blocks.count; b++) {
    const std::size_t groups = most_groups(blocks.begin(b), b);
    const std::size_t columns = most_columns(blocks.begin(b), b, cols_);
    blocks_[b].order = order_.data() + blocks.begin(b);
    blocks_[b].values = values_.data() + columns * kRows;
    blocks_[b].columns = columns_.data() + columns;
    blocks_[b].starts = starts_.data() + groups * bands_ + b;
  }
}

template <typename T>
void GroupedChunk<T>::put(int block, MatrixView<const T> x) {
  vector_kernels<T>().group_rows(x, blocks_[block]);
}

template <typename T>
double GroupedChunk<T>::kept_share(MatrixView<const T> x, int step) {
  double kept = 0, seen = 0;
  for (int i = 0; i + kRows <= x.rows; i += step) {
    const T *a = x.row(i), *b = x.row(i + 1), *c = x.row(i + 2);
    int in_group = 0;
    for (int j = 0; j < x.cols; j++) in_group += (a[j] != 0) | (b[j] != 0) | (c[j] != 0);
    kept += in_group;
    seen += x.cols;
  }
  return seen == 0 ? 1 : kept / seen;
}

template class GroupedChunk<float>;
template class GroupedChunk<double>;

}  // namespace layerwise

#include "rows/scan.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/buffer.h"
#include "base/cut.h"
#include "kernels/vector_kernels.h"

namespace layerwise {
namespace {

constexpr int kRows = 256, kBlocksAtOnce = 32;

// Index lists are looked at where they lie.
bool scan_indexed(Team& team, const RowSource<double>& rows, double low, double high, const StopFlag& stop, FirstBadRow& bad) {
  const int count = rows.count();
  std::atomic<int> first_bad{count};
  const Cut blocks = Cut::at_most(count, kRows);
  team.each(blocks.count, [&](int block) {
    const int begin = blocks.begin(block), end = begin + blocks.length(block);
    for (int row = begin; row < end && row < first_bad.load() && !stop.raised(); row++) {
      if (!rows.is_good(row, low, high, nullptr)) return lower(first_bad, row);
    }
  });
  if (stop.raised()) return false;
  if (first_bad.load() < count) rows.is_good(first_bad.load(), low, high, &bad);
  return true;
}

}  // namespace

template <typename T>
void find_bad(const RowSource<T>& rows, int first, int count, T low, T high, FirstBadRow& bad) {
  if (rows.is_indexed()) {
    for (int i = first; i < first + count && rows.is_good(i, low, high, &bad);) i++;
    return;
  }
  const int cols = rows.cols();
  std::vector<T> row(cols);
  for (int i = first; i < first + count; i++) {
    rows.read(nullptr, i, {row.data(), 1, cols});
    for (int j = 0; j < cols; j++) {
      if (std::isfinite(row[j]) && row[j] >= low && row[j] <= high) continue;
      bad = {i, j, rows.value(i, j)};
      return;
    }
  }
}

bool scan(Team& team, RowSource<double>& rows, double low, double high, const StopFlag& stop, FirstBadRow& bad) {
  if (rows.is_known_within(low, high)) return true;
  if (rows.is_indexed()) return scan_indexed(team, rows, low, high, stop, bad);
  const auto& kernels = vector_kernels<double>();
  const int count = rows.count(), cols = rows.cols();
  std::atomic<int> first_bad{count};
  const Cut blocks = Cut::at_most(count, kRows);
  // One row in float64 for each block at work; memory is taken here, where running out of it can be reported.
  Buffer<double> values(static_cast<std::size_t>(kBlocksAtOnce) * cols);
  for (int at = 0; at < blocks.count && first_bad.load() == count; at += kBlocksAtOnce) {
    const int end_block = std::min(blocks.count, at + kBlocksAtOnce), first = blocks.begin(at);
    rows.open(nullptr, first, blocks.begin(end_block) - first);
    team.each(end_block - at, [&](int i) {
      const MatrixView<double> x{values.data() + static_cast<std::size_t>(i) * cols, 1, cols};
      const int begin = blocks.begin(at + i), end = begin + blocks.length(at + i);
      for (int row = begin; row < end && !stop.raised(); row++) {
        rows.read(nullptr, row, x);
        if (!kernels.within(x, low, high)) return lower(first_bad, row);
      }
    });
    if (stop.raised()) return false;
  }
  if (stop.raised()) return false;
  if (first_bad.load() < count) find_bad(rows, first_bad.load(), 1, low, high, bad);
  return true;
}

template void find_bad(const RowSource<float>&, int, int, float, float, FirstBadRow&);
template void find_bad(const RowSource<double>&, int, int, double, double, FirstBadRow&);

}  // namespace layerwise

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

}  // namespace

void lower(std::atomic<int>& first, int row) {
  int seen = first.load();
  while (row < seen && !first.compare_exchange_weak(seen, row)) {
  }
}

template <typename T>
void find_bad(const Gather<T>& gather, int first, int count, T low, T high, FirstBadRow& bad) {
  const int cols = gather.rows().cols;
  std::vector<T> row(cols);
  for (int i = first; i < first + count; i++) {
    gather.read(nullptr, i, {row.data(), 1, cols});
    for (int j = 0; j < cols; j++) {
      if (std::isfinite(row[j]) && row[j] >= low && row[j] <= high) continue;
      std::vector<double> exact(cols);
      Gather<double>(gather.rows()).read(nullptr, i, {exact.data(), 1, cols});
      bad = {i, j, exact[j]};
      return;
    }
  }
}

bool scan(Team& team, const Rows& rows, double low, double high, const StopFlag& stop, FirstBadRow& bad) {
  // Integers are finite, and their bounds are known without reading them.
  const StorageTraits& stored = traits_of(rows.storage);
  if (stored.whole() && !rows.scaling) {
    const double one = stored.low * rows.scale, other = stored.high * rows.scale;
    if (std::min(one, other) >= low && std::max(one, other) <= high) return true;
  }
  const Gather<double> gather(rows);
  const auto& kernels = vector_kernels<double>();
  std::atomic<int> first_bad{rows.count};
  const Cut blocks = Cut::at_most(rows.count, kRows);
  // One row in float64 for each block at work; memory is taken here, where running out of it can be reported.
  Buffer<double> values(static_cast<std::size_t>(kBlocksAtOnce) * rows.cols);
  for (int at = 0; at < blocks.count && first_bad.load() == rows.count; at += kBlocksAtOnce) {
    team.each(std::min(kBlocksAtOnce, blocks.count - at), [&](int i) {
      const MatrixView<double> x{values.data() + static_cast<std::size_t>(i) * rows.cols, 1, rows.cols};
      const int begin = blocks.begin(at + i), end = begin + blocks.length(at + i);
      for (int row = begin; row < end && !stop.raised(); row++) {
        gather.read(nullptr, row, x);
        if (!kernels.within(x, low, high)) return lower(first_bad, row);
      }
    });
    if (stop.raised()) return false;
  }
  if (stop.raised()) return false;
  if (first_bad.load() < rows.count) find_bad(gather, first_bad.load(), 1, low, high, bad);
  return true;
}

template void find_bad(const Gather<float>&, int, int, float, float, FirstBadRow&);
template void find_bad(const Gather<double>&, int, int, double, double, FirstBadRow&);

}  // namespace layerwise

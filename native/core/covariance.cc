#include "covariance.h"

#include <algorithm>
#include <vector>

#include "blas.h"
#include "buffer.h"
#include "plan.h"

namespace layerwise {
namespace {

constexpr int kBlockRows = 128;
constexpr int kBlocksAtOnce = 16;
constexpr int kTileRows = 128;

}  // namespace

bool covariance(Team& team, const Rows& rows, double* mean, double* covariance, const StopFlag& stop) {
  const int m = rows.count, n = rows.cols;
  const Gather<double> gather(rows);
  const int chunk_rows = kBlockRows * kBlocksAtOnce;
  Buffer<double> x(static_cast<std::size_t>(chunk_rows) * n);
  Buffer<double> sums(static_cast<std::size_t>(kBlocksAtOnce) * n);
  const auto block_view = [&](int block, int in_chunk) {
    const int begin = block * kBlockRows;
    return MatrixView<double>(x.data() + static_cast<std::size_t>(begin) * n, std::min(kBlockRows, in_chunk - begin), n);
  };

  std::fill(mean, mean + n, 0.0);
  for (int chunk = 0; chunk < m; chunk += chunk_rows) {
    const int in_chunk = std::min(chunk_rows, m - chunk);
    const int blocks = (in_chunk + kBlockRows - 1) / kBlockRows;
    team.each(blocks, [&](int block) {
      const MatrixView<double> view = block_view(block, in_chunk);
      gather.read(nullptr, chunk + block * kBlockRows, view);
      double* sum = sums.data() + static_cast<std::size_t>(block) * n;
      std::fill(sum, sum + n, 0.0);
      for (int i = 0; i < view.rows; i++) {
        for (int j = 0; j < n; j++) sum[j] += view.row(i)[j];
      }
    });
    for (int block = 0; block < blocks; block++) {
      for (int j = 0; j < n; j++) mean[j] += sums[static_cast<std::size_t>(block) * n + j];
    }
    if (stop.raised()) return false;
    team.breathe();
  }
  for (int j = 0; j < n; j++) mean[j] /= m;

  // Tiles of rows of the lower triangle; the rest by symmetry.
  const Cut tiles = Cut::at_most(n, kTileRows);
  for (int chunk = 0; chunk < m; chunk += chunk_rows) {
    const int in_chunk = std::min(chunk_rows, m - chunk);
    team.each((in_chunk + kBlockRows - 1) / kBlockRows, [&](int block) {
      const MatrixView<double> view = block_view(block, in_chunk);
      gather.read(nullptr, chunk + block * kBlockRows, view);
      for (int i = 0; i < view.rows; i++) {
        for (int j = 0; j < n; j++) view.row(i)[j] -= mean[j];
      }
    });
    const MatrixView<const double> centred(x.data(), in_chunk, n);
    team.each(tiles.count, [&](int t) {
      if (stop.raised()) return;
      const int begin = tiles.begin(t), height = tiles.length(t), width = begin + height;
      gemm<double>(Transpose::yes, Transpose::no, 1.0 / m, centred.block(0, begin, in_chunk, height),
                   centred.block(0, 0, in_chunk, width), chunk == 0 ? 0 : 1,
                   {covariance + static_cast<std::size_t>(begin) * n, height, width, static_cast<std::size_t>(n)});
    });
    if (stop.raised()) return false;
    team.breathe();
  }
  for (int i = 0; i < n; i++) {
    for (int j = i + 1; j < n; j++)
      covariance[static_cast<std::size_t>(i) * n + j] = covariance[static_cast<std::size_t>(j) * n + i];
  }
  return true;
}

}  // namespace layerwise

#include "linear/covariance.h"

#include <algorithm>
#include <cmath>

#include "base/buffer.h"
#include "base/cut.h"
#include "products/blas.h"

namespace layerwise {
namespace {

constexpr int kBlockRows = 128;
constexpr int kBlocksAtOnce = 16;
constexpr int kChunkRows = kBlockRows * kBlocksAtOnce;
constexpr int kTileRows = 128;
constexpr int kOrdinary = 300;  // exponents of two whose squares, and sums of squares, are far from the limits of float64
constexpr int kChunkNumbers = kChunkRows * 2048;  // above this number, shorter blocks

// Sums of columns [n], of what rounding took from them, and the largest |x| of each.
struct Sums {
  double *sum, *rest, *most;

  // Knuth's TwoSum: the error of an addition is a float64 again (Handbook of Floating-Point Arithmetic, section 4.3.2).
  void add(const double* x, int n) const {
    for (int j = 0; j < n; j++) {
      const double before = sum[j], after = before + x[j], added = after - before;
      rest[j] += (before - (after - added)) + (x[j] - added);
      sum[j] = after;
    }
  }
  // The same of x times weight, and of the rounding of these products.
  void add(const double* x, double weight, int n) const {
    for (int j = 0; j < n; j++) {
      const double product = weight * x[j], before = sum[j], after = before + product, added = after - before;
      rest[j] += (before - (after - added)) + (product - added) + std::fma(weight, x[j], -product);
      sum[j] = after;
    }
  }
  void measure(const double* x, int n) const {
    for (int j = 0; j < n; j++) {
      const double size = std::fabs(x[j]);
      most[j] = size > most[j] ? size : most[j];
    }
  }
};

}  // namespace

void ColumnMeans::centre(const RowSource<double>& rows, int first, MatrixView<double> x) const {
  for (int i = 0; i < x.rows; i++) {
    double* row = x.row(i);
    for (int j = 0; j < x.cols; j++) row[j] = (row[j] - mean[j]) - rest[j];
    const double factor = rows.weighted() ? scale * std::sqrt(rows.weight(nullptr, first + i)) : scale;
    if (factor == 1) continue;
    for (int j = 0; j < x.cols; j++) row[j] *= factor;
  }
}

bool column_means(Team& team, RowSource<double>& rows, ColumnMeans& means, const StopFlag& stop) {
  const int m = rows.count(), n = rows.cols();
  const int block_rows = std::clamp(kChunkNumbers / kBlocksAtOnce / n, 8, kBlockRows);
  Buffer<double> x(static_cast<std::size_t>(block_rows) * kBlocksAtOnce * n);
  Buffer<double> sums(static_cast<std::size_t>(3 * kBlocksAtOnce) * n);
  const auto sums_of = [&](int block) {
    double* sum = sums.data() + static_cast<std::size_t>(3 * block) * n;
    return Sums{sum, sum + n, sum + 2 * n};
  };
  std::vector<double> largest(n);
  const Sums total{means.mean.data(), means.rest.data(), largest.data()};
  std::fill_n(total.sum, n, 0.0);
  std::fill_n(total.rest, n, 0.0);
  for (int chunk = 0, in_chunk; chunk < m; chunk += in_chunk) {
    in_chunk = std::min(m - chunk, block_rows * kBlocksAtOnce);
    const int blocks = (in_chunk + block_rows - 1) / block_rows;
    rows.open(nullptr, chunk, in_chunk);
    team.each(blocks, [&](int block) {
      const int first = chunk + block * block_rows;
      const MatrixView<double> view(x.data() + static_cast<std::size_t>(block) * block_rows * n, std::min(block_rows, m - first),
                                    n);
      rows.read(nullptr, first, view);
      const Sums of_block = sums_of(block);
      std::fill_n(of_block.sum, 3 * n, 0.0);
      for (int i = 0; i < view.rows; i++) {
        if (rows.weighted()) {
          of_block.add(view.row(i), rows.weight(nullptr, first + i), n);
        } else {
          of_block.add(view.row(i), n);
        }
        of_block.measure(view.row(i), n);
      }
    });
    for (int block = 0; block < blocks; block++) {
      const Sums of_block = sums_of(block);
      total.add(of_block.sum, n);
      total.measure(of_block.most, n);
      for (int j = 0; j < n; j++) total.rest[j] += of_block.rest[j];
    }
    if (stop.raised()) return false;
  }
  const double most = *std::max_element(largest.begin(), largest.end());
  const bool ordinary = most == 0 || !std::isfinite(most) || std::abs(std::ilogb(most)) <= kOrdinary;
  means.scale = ordinary ? 1 : std::ldexp(1.0, -std::ilogb(most));
  for (int j = 0; j < n; j++) {
    const double sum = total.sum[j], rest = total.rest[j], mean = (sum + rest) / m;
    means.mean[j] = mean;
    means.rest[j] = (std::fma(-mean, static_cast<double>(m), sum) + rest) / m;
  }
  return true;
}

bool covariance(Team& team, RowSource<double>& rows, double* mean, double* covariance, double& scale, const StopFlag& stop) {
  ColumnMeans means(rows.cols());
  if (!column_means(team, rows, means, stop)) return false;
  scale = means.scale;
  std::copy(means.mean.begin(), means.mean.end(), mean);
  const int m = rows.count(), n = rows.cols();
  Buffer<double> x(static_cast<std::size_t>(kChunkRows) * n);

  // Tiles of rows of the lower triangle; the rest by symmetry.
  const Cut tiles = Cut::at_most(n, kTileRows);
  for (int chunk = 0, in_chunk; chunk < m; chunk += in_chunk) {
    in_chunk = std::min(kChunkRows, m - chunk);
    rows.open(nullptr, chunk, in_chunk);
    team.each((in_chunk + kBlockRows - 1) / kBlockRows, [&](int block) {
      const int begin = block * kBlockRows;
      const MatrixView<double> view(x.data() + static_cast<std::size_t>(begin) * n, std::min(kBlockRows, in_chunk - begin), n);
      rows.read(nullptr, chunk + begin, view);
      means.centre(rows, chunk + begin, view);
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
  }
  for (int i = 0; i < n; i++) {
    for (int j = i + 1; j < n; j++)
      covariance[static_cast<std::size_t>(i) * n + j] = covariance[static_cast<std::size_t>(j) * n + i];
  }
  return true;
}

}  // namespace layerwise

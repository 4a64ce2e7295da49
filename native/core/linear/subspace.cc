#include "linear/subspace.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <vector>

#include "base/buffer.h"
#include "base/cut.h"
#include "base/random.h"
#include "kernels/vector_kernels.h"
#include "linear/covariance.h"
#include "linear/eigen.h"
#include "products/blas.h"

namespace layerwise {
namespace {

using Matrix = MatrixView<double>;

// All cuts depend on shapes only.
constexpr int kBlockRows = 64;
constexpr int kChunkNumbers = 4 << 20;  // of the rows that are worked on together
constexpr int kFewestBlocks = 4;
constexpr int kTileRows = 32;
constexpr int kTileColumns = 256;

// Products with the covariance of rows that are read chunk by chunk.
class Covariance {
 public:
  Covariance(RowSource<double>& rows, const ColumnMeans& means)
      : rows_(rows),
        means_(means),
        m_(rows.count()),
        n_(rows.cols()),
        chunk_rows_(kBlockRows * std::max(kFewestBlocks, kChunkNumbers / (kBlockRows * n_))),
        x_(static_cast<std::size_t>(std::min(m_, chunk_rows_)) * n_) {}

  // out [b, n] = v C, v [b, n]. False if stop was raised.
  bool multiply(Team& team, Matrix v, Matrix out, const StopFlag& stop) {
    if (along_.size() < static_cast<std::size_t>(chunk_rows_) * v.rows) {
      along_ = Buffer<double>(static_cast<std::size_t>(chunk_rows_) * v.rows);
    }
    const Cut tiles = Cut::at_most(n_, kTileColumns);
    return each_chunk(stop, [&](Matrix x, int first) {
      const Matrix along(along_.data(), x.rows, v.rows);
      const Cut blocks = Cut::at_most(x.rows, kBlockRows);
      team.each(blocks.count, [&](int i) {
        if (stop.raised()) return;
        const int begin = blocks.begin(i), height = blocks.length(i);
        read(first + begin, x.rows_from(begin, height));
        gemm<double>(Transpose::no, Transpose::yes, 1, x.rows_from(begin, height), v, 0, along.rows_from(begin, height));
      });
      team.each(tiles.count, [&](int t) {
        if (stop.raised()) return;
        const int begin = tiles.begin(t), width = tiles.length(t);
        gemm<double>(Transpose::yes, Transpose::no, 1.0 / m_, along, x.block(0, begin, x.rows, width), first == 0 ? 0 : 1,
                     out.block(0, begin, out.rows, width));
      });
    });
  }

  // The sum of the variances of the columns.
  bool trace(Team& team, double& sum, const StopFlag& stop) {
    std::vector<double> parts(chunk_rows_ / kBlockRows);
    sum = 0;
    return each_chunk(stop, [&](Matrix x, int first) {
      const Cut blocks = Cut::at_most(x.rows, kBlockRows);
      team.each(blocks.count, [&](int i) {
        if (stop.raised()) return;
        const Matrix block = x.rows_from(blocks.begin(i), blocks.length(i));
        read(first + blocks.begin(i), block);
        const auto size = static_cast<std::size_t>(block.rows) * n_;
        parts[i] = vector_kernels<double>().dot(block.data, block.data, size);
      });
      for (int i = 0; i < blocks.count; i++) sum += parts[i] / m_;
    });
  }

 private:
  template <typename Body>
  bool each_chunk(const StopFlag& stop, Body&& body) {
    for (int first = 0, count; first < m_; first += count) {
      count = std::min(chunk_rows_, m_ - first);
      rows_.open(nullptr, first, count);
      body(Matrix(x_.data(), count, n_), first);
      if (stop.raised()) return false;
    }
    return true;
  }

  // Rows less the mean.
  void read(int first, Matrix x) const {
    rows_.read(nullptr, first, x);
    means_.centre(rows_, first, x);
  }

  RowSource<double>& rows_;
  const ColumnMeans& means_;
  int m_, n_, chunk_rows_;
  Buffer<double> x_, along_;
};

double norm(Matrix row) {
  return std::sqrt(vector_kernels<double>().dot(row.data, row.data, static_cast<std::size_t>(row.cols)));
}

void normalise(Matrix rows) {
  for (int i = 0; i < rows.rows; i++) {
    const double length = norm(rows.rows_from(i, 1));
    if (length > 0) vector_kernels<double>().scale(1 / length, rows.row(i), static_cast<std::size_t>(rows.cols));
  }
}

// out = a b^T for wide a, b; tiles of the rows of b. Unfinished where stop was raised, as are all below.
void inner_products(Team& team, Matrix a, Matrix b, Matrix out, const StopFlag& stop) {
  const Cut tiles = Cut::at_most(b.rows, kTileRows);
  team.each(tiles.count, [&](int t) {
    if (stop.raised()) return;
    const int begin = tiles.begin(t), count = tiles.length(t);
    gemm<double>(Transpose::no, Transpose::yes, 1, a, b.rows_from(begin, count), 0, out.block(0, begin, out.rows, count));
  });
}

// out = alpha a b + beta out for wide b; tiles of its columns.
void combine(Team& team, double alpha, Matrix a, Matrix b, double beta, Matrix out, const StopFlag& stop) {
  const Cut tiles = Cut::at_most(b.cols, kTileColumns);
  team.each(tiles.count, [&](int t) {
    if (stop.raised()) return;
    const int begin = tiles.begin(t), width = tiles.length(t);
    gemm<double>(Transpose::no, Transpose::no, alpha, a, b.block(0, begin, b.rows, width), beta,
                 out.block(0, begin, out.rows, width));
  });
}

// Subtracts from rows their projection on the span of orthonormal others.
void project_out(Team& team, Matrix others, Matrix rows, const StopFlag& stop) {
  if (others.rows == 0) return;
  Buffer<double> memory(static_cast<std::size_t>(rows.rows) * others.rows);
  const Matrix along(memory.data(), rows.rows, others.rows);
  inner_products(team, rows, others, along, stop);
  combine(team, -1, along, others, 1, rows, stop);
}

// Makes the rows of `basis` from `first` on orthonormal, and orthogonal to those before, which are orthonormal already: classical
// Gram-Schmidt, repeated against all rows if a row lost more than half of its length (Kahan: twice is enough). If only rounding
// is left of a row, that is used as its direction; a row that becomes exactly 0 is replaced by a random one. False if stop was
// raised.
bool orthonormalise(Team& team, Matrix basis, int first, std::uint64_t& draws, const StopFlag& stop) {
  constexpr double kHalf = 0.5;
  const Matrix before = basis.rows_from(0, first), block = basis.rows_from(first, basis.rows - first);
  for (int pass = 0; pass < 2; pass++) {
    normalise(block);
    project_out(team, before, block, stop);
  }
  for (int i = first; i < basis.rows; i++) {
    const Matrix row = basis.rows_from(i, 1);
    int from = norm(row) < kHalf ? 0 : first;
    do {
      if (stop.raised()) return false;
      if (norm(row) == 0) {
        uniform(row.data, static_cast<std::size_t>(row.cols), -1, 1, 0, static_cast<std::uint32_t>(Stream::subspace), ++draws);
        from = 0;
      }
      normalise(row);
      project_out(team, basis.rows_from(from, i - from), row, stop);
      from = 0;
    } while (norm(row) < kHalf);
    normalise(row);
  }
  return !stop.raised();
}

// Of a Krylov space with rows `basis`, and `products` = basis C.
class RitzVectors {
 public:
  RitzVectors(Matrix basis, Matrix products, int block)
      : basis_(basis),
        products_(products),
        block_(block),
        values_(basis.rows),
        inner_(static_cast<std::size_t>(basis.rows) * basis.rows),
        scratch_(static_cast<std::size_t>(block) * basis.cols) {}

  // Moves the leading Ritz vectors to the front of the basis, and their products likewise.
  bool lead(Team& team, const StopFlag& stop) {
    const int size = basis_.rows;
    const Matrix inner(inner_.data(), size, size);
    inner_products(team, basis_, products_, inner, stop);
    if (stop.raised()) return false;
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < i; j++) inner.row(i)[j] = inner.row(j)[i] = (inner.row(i)[j] + inner.row(j)[i]) / 2;
    }
    if (!symmetric_eigen(team, inner_.data(), size, values_.data(), [&] { return stop.raised(); })) return false;
    const Matrix leading = inner.rows_from(0, block_), combined(scratch_.data(), block_, basis_.cols);
    for (const Matrix& of : {basis_, products_}) {
      combine(team, 1, leading, of, 0, combined, stop);
      std::copy(scratch_.data(), scratch_.data() + scratch_.size(), of.data);
    }
    return !stop.raised();
  }

  const double* values() const { return values_.data(); }

  // The largest |C v - value v| of the first `count` vectors v.
  double residual(int count) {
    double largest = 0;
    for (int i = 0; i < count; i++) {
      const Matrix difference(scratch_.data(), 1, basis_.cols);
      const double *v = basis_.row(i), *product = products_.row(i);
      for (int j = 0; j < basis_.cols; j++) difference.data[j] = product[j] - values_[i] * v[j];
      largest = std::max(largest, norm(difference));
    }
    return largest;
  }

 private:
  Matrix basis_, products_;
  int block_;
  std::vector<double> values_;
  Buffer<double> inner_, scratch_;
};

void copy_signed(Matrix from, double* to) {
  for (int i = 0; i < from.rows; i++, to += from.cols) {
    const double* row = from.row(i);
    const double largest =
        *std::max_element(row, row + from.cols, [](double x, double y) { return std::fabs(x) < std::fabs(y); });
    std::transform(row, row + from.cols, to, [&](double x) { return largest < 0 ? -x : x; });
  }
}

}  // namespace

SubspaceEnd leading_directions(Team& team, RowSource<double>& rows, LeadingDirections& out, const StopFlag& stop,
                               int most_rounds) {
  const int n = rows.cols(), count = out.count;
  // More than are wanted: convergence then depends on a larger gap between eigenvalues.
  const int block = std::min(n / 2, count + std::max(16, count / 4));
  const int powers = std::min(3, n / block - 1);
  const int size = block * (powers + 1);

  ColumnMeans means(n);
  if (!column_means(team, rows, means, stop)) return SubspaceEnd::stopped;
  std::copy(means.mean.begin(), means.mean.end(), out.mean);
  out.scale = means.scale;
  Covariance covariance(rows, means);
  if (!covariance.trace(team, out.total, stop)) return SubspaceEnd::stopped;

  Buffer<double> basis_memory(static_cast<std::size_t>(size) * n), products_memory(basis_memory.size());
  const Matrix basis(basis_memory.data(), size, n), products(products_memory.data(), size, n);
  std::uint64_t draws = 0;
  const auto multiply = [&](int first) {
    return covariance.multiply(team, basis.rows_from(first, block), products.rows_from(first, block), stop);
  };
  if (!orthonormalise(team, basis.rows_from(0, block), 0, draws, stop) || !multiply(0)) return SubspaceEnd::stopped;
  RitzVectors ritz(basis, products, block);
  for (int round = 0; round < most_rounds; round++) {
    for (int power = 1; power <= powers; power++) {
      const int first = power * block;
      const Matrix last = products.rows_from(first - block, block);
      std::copy(last.data, last.data + static_cast<std::size_t>(block) * n, basis.row(first));
      if (!orthonormalise(team, basis.rows_from(0, first + block), first, draws, stop) || !multiply(first)) {
        return SubspaceEnd::stopped;
      }
    }
    if (!ritz.lead(team, stop)) return SubspaceEnd::stopped;
    if (ritz.residual(count) > kSubspaceTolerance * ritz.values()[0]) continue;
    std::copy(ritz.values(), ritz.values() + count, out.values);
    copy_signed(basis.rows_from(0, count), out.vectors);
    return SubspaceEnd::converged;
  }
  return SubspaceEnd::stalled;
}

}  // namespace layerwise

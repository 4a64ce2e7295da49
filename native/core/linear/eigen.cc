#include "linear/eigen.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

#include "kernels/vector_kernels.h"
#include "linear/rotations.h"
#include "products/blas.h"

namespace layerwise {

namespace {

using Matrix = MatrixView<double>;
using Vector = std::vector<double>;

// Blocks of rows that one thread takes at a time: all cuts depend on n only.
constexpr int kPanel = 32;        // reflectors gathered before the rest of the matrix is updated (LAPACK dlatrd)
constexpr int kProductRows = 32;  // rows of one matrix-vector product
constexpr int kUpdateRows = 96;   // rows of one matrix-matrix product
constexpr double kEpsilon = std::numeric_limits<double>::epsilon();

int blocks(int count, int size) { return (count + size - 1) / size; }

// A = Q T Q^T. T is diagonal and off_diagonal; Q = H_0 H_1 … with H_j = I - scale[j] v_j v_j^T, and row j of the matrix becomes
// v_j.
struct Tridiagonal {
  Vector diagonal, off_diagonal, scale;
};

// Turns x [n] into v with v[0] = 1 such that (I - scale v v^T) x = (result, 0, …). A tail below 1e-100 counts as zero: x comes
// from a matrix whose largest entry is about 1.
double reflect(double* x, int n, double& scale) {
  const double first = x[0];
  const double tail = vector_kernels<double>().dot(x + 1, x + 1, static_cast<std::size_t>(n - 1));
  x[0] = 1;
  if (tail < 1e-200) {
    std::fill(x + 1, x + n, 0.0);
    scale = 0;
    return first;
  }
  const double result = -std::copysign(std::sqrt(first * first + tail), first);
  scale = (result - first) / result;
  vector_kernels<double>().scale(1 / (first - result), x + 1, static_cast<std::size_t>(n - 1));
  return result;
}

// Householder tridiagonalisation in panels (Dongarra, Sorensen, Hammarling 1989; LAPACK dsytrd): inside a panel the matrix is not
// changed, A_now = A - sum(v w^T + w v^T); the sum is applied to the rest of the matrix at the panel's end, as a matrix product.
bool tridiagonalise(Team& team, Matrix a, Tridiagonal& t, const std::function<bool()>& should_stop) {
  const auto& kernels = vector_kernels<double>();
  const int n = a.rows;
  t.diagonal.assign(n, 0);
  t.off_diagonal.assign(n, 0);
  t.scale.assign(n, 0);
  // v and w of the panel, once in this order and once with their places changed, so that one product applies both halves of the
  // sum.
  Vector vw_memory(std::size_t{2} * kPanel * n), wv_memory(vw_memory.size());
  const Matrix vw(vw_memory.data(), 2 * kPanel, n), wv(wv_memory.data(), 2 * kPanel, n);

  int start = 0;
  while (start < n - 2) {
    const int height = std::min(kPanel, n - 2 - start);
    for (int k = 0; k < height; ++k) {
      if (should_stop()) return false;
      const int j = start + k, below = j + 1, length = n - below;
      double* row = a.row(j);
      for (int i = 0; i < k; ++i) {
        const double *v = vw.row(i), *w = vw.row(height + i);
        kernels.axpy(-v[j], w + j, row + j, static_cast<std::size_t>(n - j));
        kernels.axpy(-w[j], v + j, row + j, static_cast<std::size_t>(n - j));
      }
      t.diagonal[j] = row[j];
      t.off_diagonal[j] = reflect(row + below, length, t.scale[j]);
      std::fill(row, row + below, 0.0);
      std::copy(row, row + n, vw.row(k));

      // w = s A_now v - s^2/2 (v^T A_now v) v
      double* w = vw.row(height + k);
      const double* v = vw.row(k) + below;
      team.each(blocks(length, kProductRows), [&](int block) {
        const int top = below + block * kProductRows, rows = std::min(kProductRows, n - top);
        kernels.matrix_vector(a.block(top, below, rows, length), v, w + top);
      });
      std::fill(w, w + below, 0.0);
      const auto size = static_cast<std::size_t>(length);
      for (int i = 0; i < k; ++i) {
        const double *vi = vw.row(i) + below, *wi = vw.row(height + i) + below;
        const double along_v = kernels.dot(vi, v, size), along_w = kernels.dot(wi, v, size);
        kernels.axpy(-along_w, vi, w + below, size);
        kernels.axpy(-along_v, wi, w + below, size);
      }
      kernels.scale(t.scale[j], w + below, size);
      kernels.axpy(-0.5 * t.scale[j] * kernels.dot(w + below, v, size), v, w + below, size);
      std::copy(vw.row(k), vw.row(k) + n, wv.row(height + k));
      std::copy(w, w + n, wv.row(k));
    }
    start += height;
    const int rest = n - start;
    team.each(blocks(rest, kUpdateRows), [&](int block) {
      const int top = start + block * kUpdateRows, rows = std::min(kUpdateRows, n - top);
      gemm<double>(Transpose::yes, Transpose::no, -1, vw.block(0, top, 2 * height, rows), wv.block(0, start, 2 * height, rest), 1,
                   a.block(top, start, rows, rest));
    });
  }
  for (int j = start; j < n; ++j) t.diagonal[j] = a.row(j)[j];
  if (n > 1) t.off_diagonal[n - 2] = a.row(n - 2)[n - 1];
  return true;
}

// q = Q^T, from the reflectors in the rows of a: panels from the last to the first, each as I - V^T F^T V with F triangular
// (Schreiber, Van Loan 1989; LAPACK dlarft).
bool transposed_q(Team& team, Matrix a, const Vector& scale, Matrix q, const std::function<bool()>& should_stop) {
  const auto& kernels = vector_kernels<double>();
  const int n = a.rows, reflectors = std::max(0, n - 2);
  for (int i = 0; i < n; ++i) {
    std::fill(q.row(i), q.row(i) + n, 0.0);
    q.row(i)[i] = 1;
  }
  Vector products(std::size_t{2} * kPanel * n);
  for (int panel = blocks(reflectors, kPanel) - 1; panel >= 0; --panel) {
    if (should_stop()) return false;
    const int start = panel * kPanel, height = std::min(kPanel, reflectors - start), left = start + 1, width = n - left;
    double factor[kPanel * kPanel] = {};
    for (int i = 0; i < height; ++i) {
      double along[kPanel];
      for (int k = 0; k < i; ++k) {
        along[k] = kernels.dot(a.row(start + k) + left, a.row(start + i) + left, static_cast<std::size_t>(width));
      }
      for (int r = 0; r < i; ++r) {
        double sum = 0;
        for (int k = r; k < i; ++k) sum += factor[r * kPanel + k] * along[k];
        factor[r * kPanel + i] = -scale[start + i] * sum;
      }
      factor[i * kPanel + i] = scale[start + i];
    }
    const Matrix f(factor, height, height, kPanel), v = a.block(start, left, height, width);
    team.each(blocks(width, kUpdateRows), [&](int block) {
      const int top = left + block * kUpdateRows, rows = std::min(kUpdateRows, n - top);
      const Matrix part = q.block(top, left, rows, width);
      const Matrix along(products.data() + std::size_t{2} * kPanel * (top - left), rows, height);
      const Matrix product(along.data + static_cast<std::size_t>(rows) * height, rows, height);
      gemm<double>(Transpose::no, Transpose::yes, 1, part, v, 0, along);
      gemm<double>(Transpose::no, Transpose::yes, 1, along, f, 0, product);
      gemm<double>(Transpose::no, Transpose::no, -1, product, v, 1, part);
    });
  }
  return true;
}

// One implicit QL sweep with Wilkinson's shift over the unreduced block first … last (EISPACK tql2).
void sweep(Vector& d, Vector& e, int first, int last, RotationSweeps& rotations) {
  const double ratio = (d[first + 1] - d[first]) / (2 * e[first]);
  double g = d[last] - d[first] + e[first] / (ratio + std::copysign(std::hypot(ratio, 1.0), ratio));
  double c = 1, s = 1, p = 0;
  rotations.begin();
  for (int i = last - 1; i >= first; --i) {
    const double f = s * e[i], b = c * e[i], r = std::hypot(f, g);
    if (r < 1e-140) {  // the chase ended early: the block splits here
      d[i + 1] -= p;
      e[i + 1] = e[last] = 0;
      rotations.end();
      return;
    }
    e[i + 1] = r;
    s = f / r;
    c = g / r;
    g = d[i + 1] - p;
    const double t = (d[i] - g) * s + 2 * c * b;
    p = s * t;
    d[i + 1] = g + p;
    g = c * t - b;
    rotations.add(i, c, s);
  }
  d[first] -= p;
  e[first] = g;
  e[last] = 0;
  rotations.end();
}

// Diagonalises t and rotates the rows of `vectors`. An off-diagonal entry below epsilon times the norm of T counts as zero: all
// of them together change T by no more than twice that.
bool diagonalise(Team& team, Tridiagonal& t, Matrix vectors, const std::function<bool()>& should_stop) {
  constexpr int kSweepsPerValue = 60;
  const int n = vectors.rows;
  Vector &d = t.diagonal, &e = t.off_diagonal;
  double norm = 0;
  for (int i = 0; i < n; ++i) norm = std::max(norm, std::fabs(d[i]) + std::fabs(e[i]) + (i > 0 ? std::fabs(e[i - 1]) : 0.0));
  const double negligible = kEpsilon * norm;

  RotationSweeps rotations(vectors);
  for (int first = 0; first < n; ++first) {
    for (int sweeps = 0;; ++sweeps) {
      int last = first;
      while (last < n - 1 && std::fabs(e[last]) > negligible) ++last;
      if (last == first) break;
      if (sweeps == kSweepsPerValue) return false;
      sweep(d, e, first, last, rotations);
      if (!rotations.full()) continue;
      if (should_stop()) return false;
      rotations.apply(team);
    }
  }
  rotations.apply(team);
  return true;
}

// Copies the rows of `vectors` into `matrix`, sorted by falling values, their largest entries positive.
void arrange(Team& team, const Vector& unordered, Matrix vectors, double* values, Matrix matrix) {
  const int n = matrix.rows;
  std::vector<int> order(n);
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](int i, int j) { return unordered[i] > unordered[j]; });
  team.each(blocks(n, kUpdateRows), [&](int block) {
    for (int i = block * kUpdateRows; i < std::min(n, (block + 1) * kUpdateRows); ++i) {
      const double* from = vectors.row(order[i]);
      const double largest = *std::max_element(from, from + n, [](double x, double y) { return std::fabs(x) < std::fabs(y); });
      const double sign = largest < 0 ? -1 : 1;
      std::transform(from, from + n, matrix.row(i), [sign](double x) { return sign * x; });
      values[i] = unordered[order[i]];
    }
  });
}

}  // namespace

bool symmetric_eigen(Team& team, double* matrix, int n, double* values, const std::function<bool()>& should_stop) {
  const Matrix a(matrix, n, n);
  const std::size_t size = static_cast<std::size_t>(n) * n;
  double largest = 0;
  for (std::size_t i = 0; i < size; ++i) {
    if (!std::isfinite(matrix[i])) return false;
    largest = std::max(largest, std::fabs(matrix[i]));
  }
  // Scaled by a power of two, which is exact, so that no square overflows or underflows.
  int exponent = 0;
  std::frexp(largest, &exponent);
  for (std::size_t i = 0; i < size; ++i) matrix[i] = std::ldexp(matrix[i], -exponent);

  Tridiagonal t;
  if (!tridiagonalise(team, a, t, should_stop)) return false;
  Vector memory(size);
  const Matrix vectors(memory.data(), n, n);
  if (!transposed_q(team, a, t.scale, vectors, should_stop)) return false;
  if (!diagonalise(team, t, vectors, should_stop)) return false;
  for (double& value : t.diagonal) value = std::ldexp(value, exponent);
  arrange(team, t.diagonal, vectors, values, a);
  return true;
}

}  // namespace layerwise

#include "linear/rotations.h"

#include <algorithm>

#include "products/blas.h"

namespace layerwise {

namespace {

int blocks(int count, int size) { return (count + size - 1) / size; }

}  // namespace

RotationSweeps::RotationSweeps(MatrixView<double> target)
    : target_(target),
      cosines_(std::size_t{kSweeps} * target.rows),
      sines_(cosines_.size()),
      windows_(blocks(target.rows + kSweeps, kSweeps)),
      products_(windows_.size() * kRows * kRows),
      scratch_(static_cast<std::size_t>(blocks(target.cols, kColumns)) * kRows * kColumns) {}

void RotationSweeps::begin() { places_[sweeps_] = {0, -1}; }

void RotationSweeps::add(int i, double c, double s) {
  Places& places = places_[sweeps_];
  if (places.last < places.first) places.last = i;
  places.first = i;
  cosines_[at(sweeps_, i)] = c;
  sines_[at(sweeps_, i)] = s;
}

// A sweep may rotate rows (i, i+1) when the previous sweep has finished (i-1, i). So a window of kSweeps places that moves up by
// one from sweep to sweep can be applied as a whole, windows in falling order; it covers 2 kSweeps rows.
RotationSweeps::Places RotationSweeps::inside(int window, int sweep) const {
  const int start = (window - 1) * kSweeps + 1 + sweep;
  return {std::max(start, places_[sweep].first), std::min(start + kSweeps - 1, places_[sweep].last)};
}

void RotationSweeps::multiply(int window) {
  int top = target_.rows, bottom = -1;
  for (int sweep = 0; sweep < sweeps_; ++sweep) {
    const auto [first, last] = inside(window, sweep);
    if (first > last) continue;
    top = std::min(top, first);
    bottom = std::max(bottom, last + 1);
  }
  const int rows = std::max(0, bottom - top + 1);
  windows_[window] = {top, rows};
  if (rows == 0) return;

  const MatrixView<double> q = product(window);
  for (int i = 0; i < rows; ++i) {
    std::fill(q.row(i), q.row(i) + rows, 0.0);
    q.row(i)[i] = 1;
  }
  for (int sweep = 0; sweep < sweeps_; ++sweep) {
    const auto [first, last] = inside(window, sweep);
    for (int i = last; i >= first; --i) {
      const double c = cosines_[at(sweep, i)], s = sines_[at(sweep, i)];
      double *upper = q.row(i - top), *lower = upper + rows;
      for (int k = 0; k < rows; ++k) {
        const double u = upper[k], l = lower[k];
        upper[k] = c * u - s * l;
        lower[k] = s * u + c * l;
      }
    }
  }
}

void RotationSweeps::apply(Team& team) {
  const int count = static_cast<int>(windows_.size());
  team.each(count, [&](int window) { multiply(window); });
  team.each(blocks(target_.cols, kColumns), [&](int block) {
    const int left = block * kColumns, width = std::min(kColumns, target_.cols - left);
    double* copy = scratch_.data() + static_cast<std::size_t>(block) * kRows * kColumns;
    for (int window = count - 1; window >= 0; --window) {
      const auto [top, rows] = windows_[window];
      if (rows == 0) continue;
      const MatrixView<double> part = target_.block(top, left, rows, width), before(copy, rows, width);
      for (int i = 0; i < rows; ++i) std::copy(part.row(i), part.row(i) + width, before.row(i));
      gemm<double>(Transpose::no, Transpose::no, 1, product(window), before, 0, part);
    }
  });
  sweeps_ = 0;
}

}  // namespace layerwise

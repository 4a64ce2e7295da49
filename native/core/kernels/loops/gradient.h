#pragma once
// Gradients of layers that are not small. As in a BLAS, both operands are packed first, each in the order in which it is read.
#include "kernels/loops/panels.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// Rows that are summed before the result is loaded and stored, and units whose deltas are packed for all panels of the inputs: in
// float32 344 KiB, which fits a second cache of 1 or 2 MiB together with a large part of the result.
constexpr int kSummedRows = 256, kUnitsAtOnce = 336;

constexpr std::size_t kGradientScratch = std::size_t{kSummedRows} * kUnitsAtOnce;

// Units of a strip, which are summed together.
constexpr int kStrip = kRowsBeside<kPanel>;
static_assert(kUnitsAtOnce % kStrip == 0);

// d [rows, units] strip by strip, row by row within a strip. The last strip may be incomplete.
template <typename T>
void lay_out_strips(MatrixView<const T> d, T* out) {
  for (int unit = 0; unit < d.cols; unit += kStrip, out += d.rows * kStrip) {
    with_count<kStrip>(d.cols - unit, [&](auto units) LAYERWISE_INLINE_LAMBDA {
      const T* from = d.data + unit;
      for (int k = 0; k < d.rows; k++) std::memcpy(out + k * kStrip, from + k * d.stride, decltype(units)::value * sizeof(T));
    });
  }
}

// c = d^T x, or c += d^T x. scratch [kGradientScratch].
template <typename T>
void wide_gradient(MatrixView<const T> d, MatrixView<const T> x, bool add, MatrixView<T> c, T* scratch) {
  alignas(64) T panel[kSliceRows<T> * kPanel * Lanes<T>::kCount];
  const Panels<T> panels(c.cols);
  const Cut heights = Cut::at_most(d.rows, kSummedRows);
  const Cut groups = Cut::at_most(c.rows, kUnitsAtOnce);
  for (int g = 0; g < groups.count; g++) {
    const int first = groups.begin(g), units = groups.length(g);
    for (int h = 0; h < heights.count; h++) {
      const int top = heights.begin(h), height = heights.length(h);
      lay_out_strips(d.block(top, first, height, units), scratch);
      const Cut slices = Cut::at_most(height, kSliceRows<T>);
      for (int p = 0; p < panels.count(); p++) {
        const int column = panels.begin(p);
        for (int s = 0; s < slices.count; s++) {
          const int from = slices.begin(s), length = slices.length(s);
          lay_out(Transpose::no, x, panels, p, top + from, length, panel);
          panels.with_part(p, [&](auto vectors, auto part) LAYERWISE_INLINE_LAMBDA {
            constexpr int kVectors = decltype(vectors)::value;
            for (int unit = 0; unit < units; unit += kStrip) {
              const T* strip = scratch + unit * height + from * kStrip;
              with_count<kStrip>(units - unit, [&](auto rows) LAYERWISE_INLINE_LAMBDA {
                multiply<T, decltype(rows)::value, kVectors>(
                    length, [&](int k) LAYERWISE_INLINE_LAMBDA { return strip + k * kStrip; }, 1,
                    [&](int k) LAYERWISE_INLINE_LAMBDA { return panel + k * (kVectors * Lanes<T>::kCount); },
                    RowPart<kVectors, T, Whole<T>>{}, add || h + s > 0,
                    [&](int r) LAYERWISE_INLINE_LAMBDA { return c.row(first + unit + r) + column; }, part);
              });
            }
          });
        }
      }
    }
  }
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#pragma once

namespace layerwise {

// Column by column, value = (x - shift[j]) * factor[j] - centre[j]; and back, x = (value + centre[j]) / factor[j] + shift[j]. In
// float64, whatever x is: rounded to float32 before it is subtracted, a large offset would take the spread with it.
struct ColumnScaling {
  const double* shift = nullptr;  // [cols], owned by the caller; null where values stay as they are
  const double* factor = nullptr;
  const double* centre = nullptr;  // [cols], or null for 0

  explicit operator bool() const { return shift != nullptr; }
};

}  // namespace layerwise

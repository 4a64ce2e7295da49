#pragma once
#include <limits>

namespace layerwise {

// Column by column, value = the nearest to (x - shift[j]) * factor[j] in [low, high], less centre[j]; and back, x = (value +
// centre[j]) / factor[j] + shift[j]. In float64, whatever x is: rounded to float32 before it is subtracted, a large offset would
// take the spread with it.
struct ColumnScaling {
  const double* shift = nullptr;  // [cols], owned by the caller; null where values stay as they are
  const double* factor = nullptr;
  const double* centre = nullptr;  // [cols], or null for 0

  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  bool clips() const { return low > -std::numeric_limits<double>::infinity(); }
  explicit operator bool() const { return shift != nullptr; }
};

}  // namespace layerwise

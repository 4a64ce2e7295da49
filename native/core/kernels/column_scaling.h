#pragma once
#include <limits>

namespace layerwise {

// Column by column, value = the nearest to (x - shift[j]) * factor[j] in [low, high], less centre[j]; and back, x = (value +
// centre[j]) / factor[j] + shift[j]. In float64 for every type of x: if x were rounded to float32 before the subtraction, a large
// offset would hide the spread.
struct ColumnScaling {
  const double* shift = nullptr;  // [cols], owned by the caller; null: no scaling
  const double* factor = nullptr;
  const double* centre = nullptr;  // [cols], or null for 0

  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  bool clips() const { return low > -std::numeric_limits<double>::infinity(); }
  explicit operator bool() const { return shift != nullptr; }

  // The same for the columns from this one on.
  ColumnScaling from(int column) const {
    ColumnScaling rest = *this;
    if (shift != nullptr) rest.shift += column, rest.factor += column;
    if (centre != nullptr) rest.centre += column;
    return rest;
  }
};

}  // namespace layerwise

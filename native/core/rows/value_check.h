#pragma once
#include <optional>
#include <vector>

#include "rows/memory_rows.h"

namespace layerwise {

// Looks for values outside of [low, high], or NaN, in rows as they are stored. Owns all that it needs. Any thread.
class ValueCheck {
 public:
  struct Place {
    int row, column;
    double value;  // scaled, in float64
  };

  // Storage, columns, scale and scaling of `rows`.
  ValueCheck(const Rows& rows, double low, double high);
  ValueCheck(const ValueCheck&) = delete;
  ValueCheck& operator=(const ValueCheck&) = delete;

  // False: no such value exists.
  bool is_needed() const { return needed_; }

  // The first of stored rows [count].
  std::optional<Place> first_bad(const char* stored, int count) const;

 private:
  template <typename T>
  std::optional<Place> first_bad(const char* stored, int count, T low, T high) const;
  std::optional<Place> bad_in_row(const char* stored, int row) const;

  std::vector<double> shift_, factor_, centre_;
  Rows rows_;
  double low_, high_;
  bool needed_;
};

}  // namespace layerwise

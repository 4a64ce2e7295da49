#pragma once
#include <cstddef>
#include <cstdint>

#include "base/matrix.h"
#include "base/storage.h"
#include "kernels/column_scaling.h"

namespace layerwise {

struct Through;  // network/network.h

// Rows of data owned by the caller, in the caller's own type. A value is data[i, j] * scale, scaled: computed in
// float64 and rounded once to what it is read as.
struct Rows {
  const void* data = nullptr;
  Storage storage = Storage::f32;
  int count = 0;  // rows to use: the length of `order` where there is one
  int cols = 0;
  int stored = 0;  // rows of data
  double scale = 1;
  const std::uint32_t* order = nullptr;  // [count] which rows, or null for all in their own order
  ColumnScaling scaling;
  const std::uint32_t* labels = nullptr;  // the class of each row of data, whatever the order
  const Through* through = nullptr;       // layers the rows go through before anyone sees them
};

// Throws std::out_of_range where `order` names no row of data, or a row's label none of `classes`. Reads all of both, so it is
// for the threads that compute, not for JavaScript's.
void check_places(const Rows& rows);
void check_labels(const Rows& rows, std::uint32_t classes);

// Reads rows as T, a few at a time, while a batch is made: the data is never blown up as a whole.
template <typename T>
class Gather {
 public:
  explicit Gather(const Rows& rows) : rows_(rows) {}

  // The rows where they lie, if they are T already and need no conversion; else a view of no data.
  MatrixView<const T> in_place(int first, int count) const;

  // out [count, cols] = rows first … first+count-1 of `order` (the source's own order if that is null).
  void read(const std::uint32_t* order, int first, MatrixView<T> out) const;

  // Which row of the data is the i-th of `order`.
  std::size_t row_at(const std::uint32_t* order, int i) const {
    const std::uint32_t* which = order != nullptr ? order : rows_.order;
    return which != nullptr ? which[i] : static_cast<std::size_t>(i);
  }

  const Rows& rows() const { return rows_; }

 private:
  Rows rows_;
};

}  // namespace layerwise

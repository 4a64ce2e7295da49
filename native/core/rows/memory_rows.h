#pragma once
#include <memory>

#include "base/storage.h"
#include "kernels/column_scaling.h"
#include "rows/row_files.h"
#include "rows/row_source.h"

namespace layerwise {

// Rows of data owned by the caller, or of files, in the caller's own type. A value is data[i, j] * scale, scaled: computed in
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
  const double* weights = nullptr;        // the weight of each row of data, whatever the order; null: 1

  // Of sparse rows: data holds the stored values alone, row i those from starts[i] to starts[i + 1], in the columns `columns`.
  // What the arrays hold is checked by whoever reads a row.
  const std::uint32_t* starts = nullptr;   // [stored + 1]; null: dense rows
  const std::uint32_t* columns = nullptr;  // [elements]
  std::size_t elements = 0;

  std::shared_ptr<const RowFiles> files;  // where they are in files: `data` and `order` are null, `stored` rows are there
};

// Throws std::out_of_range where `order` names no row of data, or a row's label none of `classes`. Reads all of both, so it is
// for the threads that compute, not for JavaScript's.
void check_places(const Rows& rows);
void check_labels(const Rows& rows, std::uint32_t classes);

// The rows of memory as T: each is converted when it is read, so the data is never blown up as a whole.
template <typename T>
class MemoryRows final : public RowSource<T> {
 public:
  explicit MemoryRows(const Rows& rows) : RowSource<T>(rows.count, rows.cols, rows.order), rows_(rows) {
    if (rows.weights != nullptr) this->weigh(rows.weights);
  }

  // Where the data is T and needs no conversion.
  MatrixView<const T> in_place(int first, int count) const override;
  void read(const std::uint32_t* order, int first, MatrixView<T> out) const override;
  void read_labels(const std::uint32_t* order, int first, int count, std::uint32_t* out) const override;
  double value(int row, int column) const override;
  std::size_t row_bytes() const override { return rows_.cols * traits_of(rows_.storage).bytes; }
  // True of integers whose bounds lie within.
  bool is_known_within(double low, double high) const override;

 private:
  Rows rows_;
};

}  // namespace layerwise

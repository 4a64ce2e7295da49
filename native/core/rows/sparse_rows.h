#pragma once
#include <atomic>
#include <limits>

#include "rows/memory_rows.h"

namespace layerwise {

// Sparse rows of memory as T (Rows::starts), which are read without their zeros. The arrays are the caller's and may change at
// any time, so whoever reads a row checks its indices again; a row whose indices are wrong is read as zeros and remembered.
template <typename T>
class SparseRows final : public RowSource<T> {
 public:
  explicit SparseRows(const Rows& rows);

  // With all zeros: for single rows.
  void read(const std::uint32_t* order, int first, MatrixView<T> out) const override;
  void read_labels(const std::uint32_t* order, int first, int count, std::uint32_t* out) const override;
  double value(int row, int column) const override;
  // As though their zeros were stored.
  std::size_t row_bytes() const override { return rows_.cols * traits_of(rows_.storage).bytes; }
  bool may_be_sparse() const override { return false; }

  bool is_indexed() const override { return true; }
  std::size_t elements(const std::uint32_t* order, int i) const override;
  bool read_elements(const std::uint32_t* order, int i, std::size_t count, std::uint32_t* columns, T* values) const override;
  bool is_good(int i, T low, T high, FirstBadRow* bad) const override;
  int broken_row() const override;

 private:
  // The elements of a row of the data from begin to end; begin > end where the row's start or end is wrong.
  struct Range {
    std::size_t begin, end;
    bool wrong() const { return begin > end; }
    std::size_t count() const { return wrong() ? 0 : end - begin; }
  };
  Range range(std::size_t row) const;
  // Element k in float64, scaled.
  double exact(std::size_t k, std::uint32_t column) const;

  static constexpr int kNone = std::numeric_limits<int>::max();
  Rows rows_;
  mutable std::atomic<int> broken_{kNone};
};

}  // namespace layerwise

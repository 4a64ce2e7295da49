#include "rows/sparse_rows.h"

#include <algorithm>
#include <cmath>

namespace layerwise {
namespace {

// The caller may write to its arrays at any time: what is checked must be what is used, so it is loaded once.
template <typename I>
I once(const I& place) {
  return __atomic_load_n(&place, __ATOMIC_RELAXED);
}

}  // namespace

template <typename T>
SparseRows<T>::SparseRows(const Rows& rows) : RowSource<T>(rows.count, rows.cols, rows.order), rows_(rows) {
  if (rows.weights != nullptr) this->weigh(rows.weights);
}

template <typename T>
typename SparseRows<T>::Range SparseRows<T>::range(std::size_t row) const {
  const Range range{once(rows_.starts[row]), once(rows_.starts[row + 1])};
  return range.end > rows_.elements ? Range{1, 0} : range;
}

// As gather of kernels/loops/data.h has it.
template <typename T>
double SparseRows<T>::exact(std::size_t k, std::uint32_t column) const {
  const double x = rows_.storage == Storage::f32 ? static_cast<double>(static_cast<const float*>(rows_.data)[k])
                                                 : static_cast<const double*>(rows_.data)[k];
  const ColumnScaling& scaling = rows_.scaling;
  if (!scaling) return x;
  const double value = (x - scaling.shift[column]) * scaling.factor[column];
  const double centre = scaling.centre != nullptr ? scaling.centre[column] : 0;
  // x - x is 0, or NaN where x is infinite or NaN: neither is brought into range.
  return scaling.clips() ? std::min(std::max(value, scaling.low), scaling.high) - centre + (x - x) : value - centre;
}

template <typename T>
std::size_t SparseRows<T>::elements(const std::uint32_t* order, int i) const {
  const std::size_t count = range(this->row_at(order, i)).count();
  return count > static_cast<std::size_t>(rows_.cols) ? 0 : count;
}

template <typename T>
bool SparseRows<T>::read_elements(const std::uint32_t* order, int i, std::size_t count, std::uint32_t* columns, T* values) const {
  const std::size_t row = this->row_at(order, i);
  const Range range = this->range(row);
  const auto cols = static_cast<std::uint32_t>(rows_.cols);
  bool good = !range.wrong() && range.count() == count;
  std::uint32_t least = 0;
  for (std::size_t k = 0; good && k < count; k++) {
    const std::uint32_t column = once(rows_.columns[range.begin + k]);
    good = column >= least && column < cols;
    if (!good) break;
    least = column + 1;
    columns[k] = column;
    values[k] = static_cast<T>(exact(range.begin + k, column));
  }
  if (good) return true;
  std::fill(columns, columns + count, 0);
  std::fill(values, values + count, T(0));
  lower(broken_, static_cast<int>(row));
  return false;
}

template <typename T>
void SparseRows<T>::read(const std::uint32_t* order, int first, MatrixView<T> out) const {
  const auto cols = static_cast<std::uint32_t>(rows_.cols);
  for (int i = 0; i < out.rows; i++) {
    T* x = out.row(i);
    std::fill(x, x + out.cols, T(0));
    const std::size_t row = this->row_at(order, first + i);
    const Range range = this->range(row);
    bool good = !range.wrong();
    std::uint32_t least = 0;
    for (std::size_t k = range.begin; good && k < range.end; k++) {
      const std::uint32_t column = once(rows_.columns[k]);
      good = column >= least && column < cols;
      if (!good) break;
      least = column + 1;
      x[column] = static_cast<T>(exact(k, column));
    }
    if (good) continue;
    std::fill(x, x + out.cols, T(0));
    lower(broken_, static_cast<int>(row));
  }
}

template <typename T>
void SparseRows<T>::read_labels(const std::uint32_t* order, int first, int count, std::uint32_t* out) const {
  for (int i = 0; i < count; i++) out[i] = rows_.labels[this->row_at(order, first + i)];
}

template <typename T>
double SparseRows<T>::value(int row, int column) const {
  const Range range = this->range(this->row_at(nullptr, row));
  for (std::size_t k = range.begin; k < range.end; k++) {
    if (once(rows_.columns[k]) == static_cast<std::uint32_t>(column)) return exact(k, static_cast<std::uint32_t>(column));
  }
  return 0;
}

template <typename T>
bool SparseRows<T>::is_good(int i, T low, T high, FirstBadRow* bad) const {
  const Range range = this->range(this->row_at(nullptr, i));
  const auto report = [&](std::uint32_t column, double value, FirstBadRow::Fault fault) {
    if (bad != nullptr) *bad = {i, static_cast<int>(column), value, false, fault};
    return false;
  };
  if (range.wrong()) return report(0, 0, FirstBadRow::Fault::starts);
  const bool zeros_allowed = low <= 0 && high >= 0;
  const auto cols = static_cast<std::uint32_t>(rows_.cols);
  std::uint32_t next = 0;  // the column after the last element
  for (std::size_t k = range.begin; k < range.end; k++) {
    const std::uint32_t column = once(rows_.columns[k]);
    if (column < next || column >= cols) return report(column, 0, FirstBadRow::Fault::index);
    if (column > next && !zeros_allowed) return report(next, 0, FirstBadRow::Fault::value);
    const double value = exact(k, column);
    const T rounded = static_cast<T>(value);
    if (!(std::isfinite(rounded) && rounded >= low && rounded <= high)) return report(column, value, FirstBadRow::Fault::value);
    next = column + 1;
  }
  return next == cols || zeros_allowed || report(next, 0, FirstBadRow::Fault::value);
}

template <typename T>
int SparseRows<T>::broken_row() const {
  const int row = broken_.load();
  return row == kNone ? -1 : row;
}

template class SparseRows<float>;
template class SparseRows<double>;

}  // namespace layerwise

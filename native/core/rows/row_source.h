#pragma once
#include <cstddef>
#include <cstdint>

#include "base/matrix.h"
#include "base/stop_flag.h"
#include "rows/bad_row.h"
#include "rows/block_pass.h"
#include "rows/row_ranges.h"

namespace layerwise {

// Where rows come from: the caller's memory, frozen layers, windows of a file. Whoever computes with rows reads them here, a few
// at a time, and does not know which it is. A position is the i-th row of `order`, where the caller gives one, else of the
// source's own order. Used by one task at a time: open() serially, then the const members by any of its threads.
template <typename T>
class RowSource {
 public:
  virtual ~RowSource() = default;
  RowSource(const RowSource&) = delete;
  RowSource& operator=(const RowSource&) = delete;

  int count() const { return count_; }
  int cols() const { return cols_; }

  // The number in the data of the row at position i: noise and labels go by it.
  std::size_t row_at(const std::uint32_t* order, int i) const {
    const std::uint32_t* which = order != nullptr ? order : own_order_;
    const auto row = which != nullptr ? which[i] : static_cast<std::uint32_t>(i);
    return ranges_ != nullptr ? ranges_->row(row) : row;
  }

  // out [count] = what an order has to hold for the rows at positions first … first+count-1 of this source's own order: the
  // numbers of the rows in the data, but where a source says otherwise.
  virtual void entries(int first, int count, std::uint32_t* out) const {
    for (int i = 0; i < count; i++) out[i] = static_cast<std::uint32_t>(row_at(nullptr, first + i));
  }

  // Row weights of a cost or a mean, of_row [rows of the data], whatever the order: owned by the caller, at least 0, and not all
  // 0 over this source's own order. Serially, before any run. Without a call every row counts 1.
  void weigh(const double* of_row) {
    weights_ = of_row;
    double sum = 0;
    for (int i = 0; i < count_; i++) sum += of_row[row_at(nullptr, i)];
    mean_weight_ = sum / count_;
  }
  bool weighted() const { return weights_ != nullptr; }
  // The weight of the row at position i divided by the mean weight over the source: their mean is 1, and that of equal ones is
  // what no weights mean. Only of weighted sources.
  double weight(const std::uint32_t* order, int i) const { return weights_[row_at(order, i)] / mean_weight_; }

  // One pass over the rows comes next, in this order of blocks, and then perhaps `next`: a source that reads ahead reads these.
  // Without a call passes are in the source's own order. Serially.
  virtual void follow([[maybe_unused]] const BlockPass& pass, [[maybe_unused]] const BlockPass* next) {}

  // From now on open() may return early, with rows that are worthless, when this flag is raised. Null: it never does.
  virtual void until([[maybe_unused]] const StopFlag* stop) {}

  // Bytes of a stored row, from which blocks are cut.
  virtual std::size_t row_bytes() const = 0;

  // Of the data that the source itself has in memory, at most.
  virtual std::size_t window_bytes() const { return 0; }

  // Opens a few positions, first … first+count-1, of the source's own order outside of any pass. Serially.
  virtual void look(int first, int count) { open(nullptr, first, count); }

  // Only positions first … first+count-1 are read from now on. Throws where rows cannot be read, or have a bad value that the
  // source was asked to look for. Serially.
  virtual void open([[maybe_unused]] const std::uint32_t* order, [[maybe_unused]] int first, [[maybe_unused]] int count) {}

  // Those of the source's own order where they lie, if they are T already; else a view of no data.
  virtual MatrixView<const T> in_place([[maybe_unused]] int first, [[maybe_unused]] int count) const { return {}; }

  // out [rows, cols] = the rows at positions first, first+1, …
  virtual void read(const std::uint32_t* order, int first, MatrixView<T> out) const = 0;

  // out [count] = their classes. Only of sources that were made with labels.
  virtual void read_labels(const std::uint32_t* order, int first, int count, std::uint32_t* out) const = 0;

  // One value in float64, before it is rounded to T; in the source's own order.
  virtual double value(int row, int column) const = 0;

  // Whether all values are known to lie in [low, high] without a look at them.
  virtual bool is_known_within([[maybe_unused]] double low, [[maybe_unused]] double high) const { return false; }

  // Whether it is worth a look if most values are zeros.
  virtual bool may_be_sparse() const { return true; }

  // Whether rows come as index lists. Then, beside the above:
  virtual bool is_indexed() const { return false; }
  // Elements of the row at position i.
  virtual std::size_t elements([[maybe_unused]] const std::uint32_t* order, [[maybe_unused]] int i) const { return 0; }
  // columns [count], values [count] = those of that row, count what elements() said. A row whose indices are wrong becomes zeros
  // in column 0 and is remembered; the answer is false.
  virtual bool read_elements([[maybe_unused]] const std::uint32_t* order, [[maybe_unused]] int i,
                             [[maybe_unused]] std::size_t count, [[maybe_unused]] std::uint32_t* columns,
                             [[maybe_unused]] T* values) const {
    return false;
  }
  // Whether the row at position i of the source's own order has right indices and only values in [low, high], zeros included;
  // `bad` receives the first place that is wrong. It may be null.
  virtual bool is_good([[maybe_unused]] int i, [[maybe_unused]] T low, [[maybe_unused]] T high,
                       [[maybe_unused]] FirstBadRow* bad) const {
    return true;
  }
  // The first row of the data that was read with wrong indices; -1: none.
  virtual int broken_row() const { return -1; }

  // Elements that a row occupies while it is read, beside those of the row itself.
  virtual std::size_t scratch_elements() const { return 0; }

 protected:
  // own_order [count]: the rows of the data that the source consists of; null for all of them. ranges: the same as ranges; an
  // order then holds positions. Owned by the caller.
  RowSource(int count, int cols, const std::uint32_t* own_order, const RowRanges* ranges = nullptr)
      : count_(count), cols_(cols), own_order_(own_order), ranges_(ranges) {}
  // The rows of another source, with other columns.
  RowSource(int cols, const RowSource& other) : RowSource(other.count_, cols, other.own_order_, other.ranges_) {}

 private:
  int count_, cols_;
  const std::uint32_t* own_order_;
  const RowRanges* ranges_;
  const double* weights_ = nullptr;  // [rows of the data]
  double mean_weight_ = 1;
};

// Throws BrokenRow if rows were read with wrong indices: what was computed of them is worthless.
template <typename T>
void check_whole(const RowSource<T>& rows) {
  if (rows.broken_row() >= 0) throw BrokenRow(rows.broken_row());
}

}  // namespace layerwise

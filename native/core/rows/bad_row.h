#pragma once
#include <atomic>
#include <stdexcept>
#include <string>

namespace layerwise {

// The first row that a computation refuses, and where in it.
struct FirstBadRow {
  // What is wrong: the value; of sparse rows the column, which is none or not above the one before it, or where the row begins
  // and ends.
  enum class Fault { value, index, starts };

  int row = -1;  // none
  int column = 0;
  double value = 0;
  bool of_results = false;  // not of the rows, but of what was to be answered for the row
  Fault fault = Fault::value;
};

// Lowers `first` to `row` if that is smaller: threads report in any order, the smallest wins.
inline void lower(std::atomic<int>& first, int row) {
  int seen = first.load();
  while (row < seen && !first.compare_exchange_weak(seen, row)) {
  }
}

// Sparse rows that changed while they were read.
class BrokenRow : public std::runtime_error {
 public:
  explicit BrokenRow(int row)
      : std::runtime_error("expected columns that rise within a row, received others in row " + std::to_string(row) +
                           ": they changed while they were read") {}
};

}  // namespace layerwise

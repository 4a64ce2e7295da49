#pragma once
#include <vector>

#include "base/buffer.h"
#include "products/indexed_rows.h"
#include "rows/corruption.h"
#include "rows/row_source.h"

namespace layerwise {

// Rows of an indexed source that are worked on together, as T. open() and sort_columns() are called serially; fill() by any
// thread, each row by one; the rest once its rows are filled.
template <typename T>
class IndexedChunk {
 public:
  // The rows at these positions. Takes the memory that they need.
  void open(const RowSource<T>& source, const std::uint32_t* order, int first, int count, const Noise* noise = nullptr);
  // Reads rows begin … begin+count-1 of the chunk. False if indices of one are wrong.
  bool fill(int begin, int count);
  // Lists the elements of input() by column, too.
  void sort_columns();

  IndexedRows<T> input() const;   // noise included
  IndexedRows<T> target() const;  // without noise

 private:
  std::size_t size() const { return starts_.back(); }

  const RowSource<T>* source_ = nullptr;
  const std::uint32_t* order_ = nullptr;
  const Noise* noise_ = nullptr;
  int first_ = 0, rows_ = 0;

  std::vector<std::size_t> starts_;  // [rows + 1]
  Buffer<std::uint32_t> columns_;    // [elements] at least
  Buffer<T> clean_, noisy_;          // the same

  // Written by sort_columns.
  bool sorted_ = false;
  IndexedColumns<T> lists_;
  std::vector<std::uint32_t> counts_, listed_;  // [cols] elements of each; [listed] columns that have any
  std::vector<std::size_t> list_starts_;        // [listed + 1]
  Buffer<std::uint32_t> list_rows_;             // [elements] at least
  Buffer<T> list_values_;
};

}  // namespace layerwise

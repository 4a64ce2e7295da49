#pragma once
#include <cstddef>
#include <cstdint>

namespace layerwise {

// The elements of some rows column by column, of those columns that have any. Owns nothing.
template <typename T>
struct IndexedColumns {
  int count = 0;                           // of the columns
  const std::uint32_t* columns = nullptr;  // [count] rising
  const std::size_t* starts = nullptr;     // [count + 1] column k has the elements from starts[k] to starts[k + 1]
  const std::uint32_t* rows = nullptr;     // of each element, rising within a column
  const T* values = nullptr;
};

// Rows without their zeros, as lists of column indices and values. Owns nothing.
template <typename T>
struct IndexedRows {
  int rows = 0;
  int cols = 0;
  const std::size_t* starts = nullptr;     // [rows + 1] row i has the elements from starts[i] to starts[i + 1]
  const std::uint32_t* columns = nullptr;  // of each element
  const T* values = nullptr;
  const IndexedColumns<T>* by_column = nullptr;  // the same elements, where a gradient is made of all the rows; else null

  IndexedRows rows_from(int first, int count) const { return {count, cols, starts + first, columns, values, nullptr}; }
};

}  // namespace layerwise

#pragma once
#include <cstddef>
#include <cstdint>

#include "base/cut.h"

namespace layerwise {

// Rows with many zeros, stored without most of the zeros: groups of three similar rows, each with only the columns in which at
// least one of its rows is not zero. Columns are split into bands, so that the data of a product in one band stays in the core's
// nearest cache. Owns nothing; filled by VectorKernels::group_rows.
template <typename T>
struct RowGroups {
  static constexpr int kRows = 3;

  int rows = 0;
  Cut bands;                         // of the columns
  std::uint16_t* order = nullptr;    // [rows], at most 2^16: the rows of each group, group after group
  T* values = nullptr;               // [kept columns of a group][kRows], group after group, band after band
  std::uint16_t* columns = nullptr;  // of each, within its band
  std::uint32_t* starts = nullptr;   // [bands * groups + 1] the start of each group, counted in kept columns

  int groups() const { return groups_of(rows); }
  static int groups_of(int rows) { return (rows + kRows - 1) / kRows; }

  // Capacity in columns: all columns in every group, and those written after the last one and not kept.
  static constexpr int kSpare = 16;
  static std::size_t most_columns(std::size_t groups, int cols) { return groups * cols + kSpare; }
};

}  // namespace layerwise

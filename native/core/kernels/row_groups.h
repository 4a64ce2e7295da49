#pragma once
#include <cstddef>
#include <cstdint>

#include "base/cut.h"

namespace layerwise {

// Rows of which many elements are zero, without most of the zeros: in groups of three rows that are alike, of each group only the
// columns in which one of its rows is not zero. Columns are taken in bands, so that what a product reads and writes of a band
// stays in the core's nearest cache. Owns nothing; made by VectorKernels::group_rows.
template <typename T>
struct RowGroups {
  static constexpr int kRows = 3;

  int rows = 0;
  Cut bands;                         // of the columns
  std::uint16_t* order = nullptr;    // [rows], at most 2^16: of group after group, the rows that it holds
  T* values = nullptr;               // [kept columns of a group][kRows], group after group, band after band
  std::uint16_t* columns = nullptr;  // of each, within its band
  std::uint32_t* starts = nullptr;   // [bands * groups + 1] where a group begins, counted in kept columns

  int groups() const { return groups_of(rows); }
  static int groups_of(int rows) { return (rows + kRows - 1) / kRows; }

  // Columns there is to be room for: all of them in every group, and what is written behind the last one and not kept.
  static constexpr int kSpare = 16;
  static std::size_t most_columns(std::size_t groups, int cols) { return groups * cols + kSpare; }
};

}  // namespace layerwise

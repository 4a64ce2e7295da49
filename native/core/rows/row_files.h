#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "rows/file_system.h"
#include "rows/row_ranges.h"

namespace layerwise {

// Where rows of files lie, in their order.
struct RowFiles {
  // Rows without gaps, row after row, from `offset` of a file on.
  struct Segment {
    std::string path;
    std::uint64_t offset = 0;
    std::uint32_t rows = 0;
    FileIdentity identity;  // when it was opened for the first time
  };
  // Values that are looked for: those outside of [low, high], and NaN, after scale and scaling.
  struct Within {
    double low, high;
  };

  std::vector<Segment> segments;
  std::optional<RowRanges> ranges;  // the rows in use; none: all
  std::optional<Within> within;     // none: nothing is looked for
  FileSystem* system = &system_files();

  // The file that a row of the data is in.
  const std::string& path_of(std::uint32_t row) const {
    std::size_t segment = 0;
    while (row >= segments[segment].rows) row -= segments[segment++].rows;
    return segments[segment].path;
  }
};

}  // namespace layerwise

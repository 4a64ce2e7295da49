#pragma once
#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace layerwise {

// The rows of the data that a source consists of, as rising ranges: a position is the i-th of these rows.
class RowRanges {
 public:
  using Range = std::pair<std::uint32_t, std::uint32_t>;  // rows begin … end-1

  // Of rising ranges without empty ones.
  explicit RowRanges(const std::vector<Range>& ranges) {
    std::uint32_t count = 0;
    for (const Range& range : ranges) {
      rows_.push_back(range.first);
      positions_.push_back(count);
      count += range.second - range.first;
    }
    positions_.push_back(count);
  }

  std::uint32_t count() const { return positions_.back(); }

  // The number of the row at a position.
  std::uint32_t row(std::uint32_t position) const {
    const std::size_t range = range_of(position);
    return rows_[range] + (position - positions_[range]);
  }
  // How many rows from a position on are neighbours in the data.
  std::uint32_t neighbours(std::uint32_t position) const { return positions_[range_of(position) + 1] - position; }

 private:
  std::size_t range_of(std::uint32_t position) const {
    return static_cast<std::size_t>(std::upper_bound(positions_.begin(), positions_.end(), position) - positions_.begin()) - 1;
  }

  std::vector<std::uint32_t> rows_;       // where each range begins in the data
  std::vector<std::uint32_t> positions_;  // and among the positions; then their number
};

}  // namespace layerwise

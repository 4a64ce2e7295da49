#pragma once
#include <cstdint>

namespace layerwise {

// A range cut into `count` nearly equal blocks.
struct Cut {
  int total = 0;
  int count = 0;

  // The fewest blocks of at most `most` elements.
  static Cut at_most(int total, int most) { return {total, total == 0 ? 0 : 1 + (total - 1) / most}; }

  int begin(int i) const { return static_cast<int>(static_cast<std::int64_t>(total) * i / count); }
  int length(int i) const { return begin(i + 1) - begin(i); }
  int longest() const { return count == 0 ? 0 : 1 + (total - 1) / count; }
};

}  // namespace layerwise

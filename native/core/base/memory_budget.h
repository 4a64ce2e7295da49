#pragma once
#include <algorithm>
#include <cstddef>

namespace layerwise {

// What one computation over rows occupies at most, in bytes, beside parameters, the state of an optimizer and its results: the
// windows of files, the chunk at work, and what is kept from one pass to the next. Rows are cut by the chunk alone, so the cut,
// and with it every bit, is the same whether the rows lie in memory or in files.
struct MemoryBudget {
  static constexpr std::size_t kMiB = std::size_t{1} << 20;
  static constexpr std::size_t kChunk = 48 * kMiB;    // activations and deltas of rows that are worked on together
  static constexpr std::size_t kKept = 512 * kMiB;    // activations and groups of rows that a later pass reads again
  static constexpr std::size_t kWindow = 128 * kMiB;  // of a file; two of them
  static constexpr std::size_t kWithFiles = 700'000'000;

  // What is left for what is kept, where windows of so many bytes are read too.
  static constexpr std::size_t kept_beside(std::size_t windows) {
    return windows == 0 ? kKept : std::min(kKept, kWithFiles - std::min(kWithFiles, kChunk + windows));
  }
};

}  // namespace layerwise

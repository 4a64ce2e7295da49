#pragma once
#include <algorithm>
#include <atomic>
#include <vector>

#include "base/buffer.h"
#include "base/matrix.h"
#include "products/indexed_rows.h"

namespace layerwise {

// Index lists as dense rows, a few rows at a time: for loops that compare every element with something dense. As many callers at
// a time as there are threads.
template <typename T>
class DensePieces {
 public:
  explicit DensePieces(int cols) : cols_(cols), rows_(std::clamp(kElements / cols, 1, kMostRows)) {}

  // Memory for so many threads. Serially.
  void reserve(int threads) {
    while (static_cast<int>(places_.size()) < threads) places_.emplace_back(static_cast<std::size_t>(rows_ + 1) * cols_);
    if (taken_.size() < places_.size()) taken_ = std::vector<std::atomic<bool>>(places_.size());
  }

  // body(first, piece, scratch) for rows first, first+1, … of x, piece by piece; scratch [cols] is the calling
  // thread's. How rows are cut depends on cols alone. Any thread.
  template <typename Body>
  void each(const IndexedRows<T>& x, Body&& body) {
    std::size_t place = 0;
    while (taken_[place].exchange(true, std::memory_order_acquire)) place = (place + 1) % places_.size();
    for (int first = 0; first < x.rows; first += rows_) {
      const MatrixView<T> piece(places_[place].data(), std::min(rows_, x.rows - first), cols_);
      put(x, first, piece, [](T value) { return value; });
      body(first, MatrixView<const T>(piece), places_[place].data() + static_cast<std::size_t>(rows_) * cols_);
      put(x, first, piece, [](T) { return T(0); });
    }
    taken_[place].store(false, std::memory_order_release);
  }

 private:
  // Pieces stay in a core's second cache beside what they are compared with.
  static constexpr int kElements = 1 << 18, kMostRows = 256;

  template <typename Of>
  static void put(const IndexedRows<T>& x, int first, MatrixView<T> piece, Of of) {
    for (int i = 0; i < piece.rows; i++) {
      for (std::size_t k = x.starts[first + i]; k < x.starts[first + i + 1]; k++) piece.row(i)[x.columns[k]] = of(x.values[k]);
    }
  }

  int cols_, rows_;
  std::vector<Buffer<T>> places_;         // [threads][rows, cols], zeros while no piece is there, and [cols] scratch
  std::vector<std::atomic<bool>> taken_;  // [threads]
};

}  // namespace layerwise

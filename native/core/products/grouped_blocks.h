#pragma once
#include <atomic>
#include <utility>
#include <vector>

#include "products/choose.h"
#include "products/grouped_chunk.h"
#include "products/layer_input.h"

namespace layerwise {

// Rows of a block in groups, where most of their elements are zeros: a block decides by itself, so that rows encoded in parts
// have the bits of rows encoded together. As many blocks at a time as there are threads.
template <typename T>
class GroupedBlocks {
 public:
  GroupedBlocks(int threads, int most_rows, int cols) : taken_(threads) {
    for (int i = 0; i < threads; i++) places_.emplace_back(most_rows, 1, cols);
  }

  // body(input) with x in groups, or as it lies. Any thread.
  template <typename Body>
  void with(MatrixView<const T> x, Body&& body) {
    constexpr int kSampled = 8 * RowGroups<T>::kRows;  // every eighth group is looked at
    if (places_.empty() || !groups_are_faster(GroupedChunk<T>::kept_share(x, kSampled), sizeof(T))) return body(x);
    std::size_t place = 0;
    while (taken_[place].exchange(true)) place = (place + 1) % places_.size();
    places_[place].open({x.rows, 1});
    places_[place].put(0, x);
    body(GroupedRows<T>{places_[place].blocks(), 1});
    taken_[place].store(false);
  }

 private:
  std::vector<GroupedChunk<T>> places_;   // [threads]
  std::vector<std::atomic<bool>> taken_;  // [threads] a block has the place
};

}  // namespace layerwise

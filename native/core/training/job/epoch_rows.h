#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "base/random.h"
#include "rows/corruption.h"
#include "rows/row_source.h"
#include "training/job/options.h"

namespace layerwise {

// Which rows the steps of an epoch take, in what order and under which noise: a function of (seed, fit, epoch), so that any epoch
// can be entered at any step.
class EpochRows {
 public:
  // `shuffled`: in a new order each epoch, else in the order of the rows.
  EpochRows(const TrainingOptions& options, int rows, bool shuffled);

  // Of the rows given, those of this epoch; nothing where that is what is there.
  template <typename T>
  void draw(const RowSource<T>& rows, int epoch);

  // Makes the order final up to row `end`.
  void place(std::uint32_t end) {
    if (shuffle_) shuffle_->place(end);
  }

  bool shuffled() const { return shuffled_; }
  // [rows], final up to where it was placed; null where the order is that of the rows.
  const std::uint32_t* order() const { return shuffled_ ? order_.data() : nullptr; }
  // Null where there is none.
  const Noise* noise() const { return noise_ ? &*noise_ : nullptr; }

 private:
  std::optional<Corruption> corruption_;
  std::uint64_t seed_;
  std::uint32_t fit_;
  int rows_;
  bool shuffled_;
  int epoch_ = -1;  // that was drawn
  std::optional<Noise> noise_;
  std::vector<std::uint32_t> order_;  // the rows that shuffle_ has not placed yet are in some other order
  std::optional<Shuffle> shuffle_;
};

}  // namespace layerwise

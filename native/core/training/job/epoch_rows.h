#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "rows/block_shuffle.h"
#include "rows/corruption.h"
#include "rows/row_source.h"
#include "training/job/options.h"
#include "training/job/pass_order.h"

namespace layerwise {

// Which rows the steps of an epoch take, in what order and under which noise: a function of (seed, fit, epoch), so that any epoch
// can be entered at any step.
class EpochRows {
 public:
  // `batch` of so many rows each step, the last of an epoch perhaps fewer.
  EpochRows(const TrainingOptions& options, int rows, int batch);

  // Of the rows given, those of this epoch; nothing where that is what is there. The source learns of the pass that begins and of
  // the next one.
  template <typename T>
  void draw(RowSource<T>& rows, int epoch);

  // In a new order each epoch, else in the order of the rows.
  bool shuffled() const { return shuffle_ != Shuffling::none; }

  // [batch] what the rows of a step are; null where the order is that of the rows. Until the next call.
  template <typename T>
  const std::uint32_t* order(const RowSource<T>& rows, int step);

  // Makes what order() will return of this step, by one thread, while others read that of another step.
  template <typename T>
  void prepare(const RowSource<T>& rows, int step);

  // Null where there is none.
  const Noise* noise() const { return noise_ ? &*noise_ : nullptr; }

 private:
  struct Batch {
    int step = -1;  // none
    std::vector<std::uint32_t> order;
  };

  std::uint64_t index(int epoch) const { return static_cast<std::uint64_t>(fit_) << 32 | static_cast<std::uint32_t>(epoch); }
  template <typename T>
  BlockPass pass_of(const RowSource<T>& rows, int epoch) const;
  template <typename T>
  void fill(const RowSource<T>& rows, int step, Batch& batch);

  std::optional<Corruption> corruption_;
  Shuffling shuffle_;
  std::size_t window_bytes_;
  std::uint64_t seed_;
  std::uint32_t fit_;
  int rows_, batch_;
  int epoch_ = -1;  // that was drawn
  std::optional<Noise> noise_;
  PassOrder order_;
  BlockPass next_;  // of the next epoch
  Batch at_work_, ahead_;
};

}  // namespace layerwise

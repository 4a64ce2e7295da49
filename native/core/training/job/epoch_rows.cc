#include "training/job/epoch_rows.h"

#include <algorithm>
#include <utility>

namespace layerwise {

EpochRows::EpochRows(const TrainingOptions& options, int rows, int batch)
    : corruption_(options.corruption),
      shuffle_(batch == rows ? Shuffling::none : options.shuffle),
      window_bytes_(options.window_bytes),
      seed_(options.seed),
      fit_(options.fit),
      rows_(rows),
      batch_(batch) {
  if (!shuffled()) return;
  at_work_.order.resize(batch);
  ahead_.order.resize(batch);
}

template <typename T>
BlockPass EpochRows::pass_of(const RowSource<T>& rows, int epoch) const {
  if (shuffle_ == Shuffling::rows) return whole_pass(rows_);
  return shuffled_pass(cut_in_blocks(rows_, rows.row_bytes(), batch_, window_bytes_), seed_, index(epoch));
}

template <typename T>
void EpochRows::draw(RowSource<T>& rows, int epoch) {
  if (epoch == epoch_) return;
  if (corruption_) noise_.emplace(*corruption_, seed_, fit_, static_cast<std::uint32_t>(epoch));
  if (shuffled()) {
    const bool known = epoch_ >= 0 && epoch == epoch_ + 1;
    order_.begin(known ? std::move(next_) : pass_of(rows, epoch), seed_, index(epoch));
    next_ = pass_of(rows, epoch + 1);
    at_work_.step = ahead_.step = -1;
    rows.follow(order_.pass(), &next_);
  }
  epoch_ = epoch;
}

template <typename T>
void EpochRows::fill(const RowSource<T>& rows, int step, Batch& batch) {
  const int first = step * batch_;
  batch.step = -1;
  order_.copy(rows, first, std::min(batch_, rows_ - first), batch.order.data());
  batch.step = step;
}

template <typename T>
const std::uint32_t* EpochRows::order(const RowSource<T>& rows, int step) {
  if (!shuffled()) return nullptr;
  if (at_work_.step != step) {
    if (ahead_.step != step) fill(rows, step, ahead_);
    std::swap(at_work_, ahead_);
  }
  return at_work_.order.data();
}

template <typename T>
void EpochRows::prepare(const RowSource<T>& rows, int step) {
  if (shuffled() && ahead_.step != step) fill(rows, step, ahead_);
}

template void EpochRows::draw(RowSource<float>&, int);
template const std::uint32_t* EpochRows::order(const RowSource<float>&, int);
template void EpochRows::prepare(const RowSource<float>&, int);
template void EpochRows::draw(RowSource<double>&, int);
template const std::uint32_t* EpochRows::order(const RowSource<double>&, int);
template void EpochRows::prepare(const RowSource<double>&, int);

}  // namespace layerwise

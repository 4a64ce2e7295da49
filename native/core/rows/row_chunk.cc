#include "rows/row_chunk.h"

#include <algorithm>
#include <numeric>

#include "base/phase_clock.h"
#include "products/choose.h"

namespace layerwise {

template <typename T>
RowChunk<T>::RowChunk(int cols, int most_rows, int most_blocks, bool noisy, bool labelled, bool indexed)
    : cols_(cols),
      most_rows_(most_rows),
      most_blocks_(most_blocks),
      indexed_(indexed),
      x_(indexed ? 0 : static_cast<std::size_t>(most_rows) * cols),
      clean_(noisy && !indexed ? static_cast<std::size_t>(most_rows) * cols : 0),
      labels_(labelled ? most_rows : 0) {}

template <typename T>
bool RowChunk<T>::zeros_prevail(const RowSelection<T>& selection) {
  constexpr int kGroupRows = RowGroups<T>::kRows, kSampledGroups = 64;
  RowSource<T>& source = *selection.rows;
  if (!source.may_be_sparse()) return false;
  const Cut sample{source.count() - kGroupRows, std::min({kSampledGroups, most_rows_ / kGroupRows, source.count()})};
  const MatrixView<T> sampled(x_.data(), sample.count * kGroupRows, cols_);
  const MatrixView<T> clean(selection.noise != nullptr ? clean_.data() : x_.data(), sampled.rows, cols_);
  for (int i = 0; i < sample.count; i++) {
    source.look(sample.begin(i), kGroupRows);
    source.read(nullptr, sample.begin(i), clean.rows_from(i * kGroupRows, kGroupRows));
  }
  for (int i = 0; selection.noise != nullptr && i < sampled.rows; i++) {
    const int row = sample.begin(i / kGroupRows) + i % kGroupRows;
    selection.noise->corrupt(source.row_at(nullptr, row), clean.row(i), cols_, sampled.row(i));
  }
  return groups_are_faster(GroupedChunk<T>::kept_share(sampled, kGroupRows), sizeof(T));
}

template <typename T>
void RowChunk<T>::expect_groups(std::size_t bytes) {
  grouped_ = true;
  group_bytes_ = bytes;
}

template <typename T>
void RowChunk<T>::begin(const RowSelection<T>& selection, int chunks, bool read_again) {
  selection_ = selection;
  chunks_ = chunks;
  if (selection.rows->weighted()) weights_.resize(most_rows_);
  if (!grouped_) return;
  const std::size_t bytes = GroupedChunk<T>::bytes(most_rows_, most_blocks_, cols_);
  const bool all_kept = (read_again || selection.repeated) && chunks * bytes <= group_bytes_;
  const std::size_t wanted = all_kept ? chunks : 1;
  while (group_room_.size() < wanted) group_room_.emplace_back(most_rows_, most_blocks_, cols_);
}

template <typename T>
void RowChunk<T>::open(int index, int first, const Cut& blocks, bool again) {
  first_ = first;
  blocks_ = blocks;
  filled_ = seen_ && chunks_ == 1;
  const int at = selection_.first + first;
  if (!filled_) selection_.rows->open(selection_.order, at, rows());
  if (indexed_) {
    if (!filled_) lists_.open(*selection_.rows, selection_.order, at, rows(), selection_.noise);
    return;
  }

  target_ = selection_.order == nullptr ? selection_.rows->in_place(at, rows()) : MatrixView<const T>();
  in_place_ = target_.data != nullptr;
  if (!in_place_) target_ = own_target();
  input_ = selection_.noise != nullptr ? own_input() : target_;

  if (!grouped_) return;
  const bool all_kept = group_room_.size() >= static_cast<std::size_t>(chunks_);
  groups_ = &group_room_[all_kept ? index : 0];
  groups_filled_ = (again || seen_) && all_kept;
  if (!groups_filled_) groups_->open(blocks);
}

template <typename T>
void RowChunk<T>::fill(int block) {
  if (filled_) return;
  const PhaseTimer timer(Phase::gather);
  const RowSource<T>& source = *selection_.rows;
  const int begin = blocks_.begin(block), count = blocks_.length(block), at = selection_.first + first_ + begin;
  if (indexed_) {
    lists_.fill(begin, count);
  } else if (!in_place_) {
    source.read(selection_.order, at, own_target().rows_from(begin, count));
  }
  if (selection_.noise != nullptr && !indexed_) {
    const MatrixView<T> x = own_input().rows_from(begin, count);
    for (int i = 0; i < count; i++) {
      selection_.noise->corrupt(source.row_at(selection_.order, at + i), target_.row(begin + i), cols_, x.row(i));
    }
  }
  if (groups_ != nullptr && !groups_filled_) groups_->put(block, input_.rows_from(begin, count));
  if (!labels_.empty()) source.read_labels(selection_.order, at, count, labels_.data() + begin);
  if (!source.weighted()) return;
  for (int i = 0; i < count; i++) weights_[begin + i] = source.weight(selection_.order, at + i);
}

template <typename T>
double RowChunk<T>::weight() const {
  return weights() == nullptr ? rows() : std::accumulate(weights_.begin(), weights_.begin() + rows(), 0.0);
}

template <typename T>
LayerInput<T> RowChunk<T>::input() const {
  if (indexed_) return lists_.input();
  if (groups_ != nullptr) return GroupedRows<T>{groups_->blocks(), blocks_.count};
  return input_;
}

template <typename T>
LayerInput<T> RowChunk<T>::input(int block) const {
  if (indexed_) return lists_.input().rows_from(blocks_.begin(block), blocks_.length(block));
  if (groups_ != nullptr) return GroupedRows<T>{groups_->blocks() + block, 1};
  return input_.rows_from(blocks_.begin(block), blocks_.length(block));
}

template class RowChunk<float>;
template class RowChunk<double>;

}  // namespace layerwise

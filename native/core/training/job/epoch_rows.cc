#include "training/job/epoch_rows.h"

namespace layerwise {

EpochRows::EpochRows(const TrainingOptions& options, int rows, bool shuffled)
    : corruption_(options.corruption), seed_(options.seed), fit_(options.fit), rows_(rows), shuffled_(shuffled) {}

template <typename T>
void EpochRows::draw(const RowSource<T>& rows, int epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  if (corruption_) noise_.emplace(*corruption_, seed_, fit_, static_cast<std::uint32_t>(epoch));
  if (!shuffled_) return;
  order_.resize(rows_);
  for (int i = 0; i < rows_; i++) order_[i] = static_cast<std::uint32_t>(rows.row_at(nullptr, i));
  const std::uint64_t index = static_cast<std::uint64_t>(fit_) << 32 | static_cast<std::uint32_t>(epoch);
  shuffle_.emplace(order_.data(), rows_, seed_, static_cast<std::uint32_t>(Stream::shuffle), index);
}

template void EpochRows::draw(const RowSource<float>&, int);
template void EpochRows::draw(const RowSource<double>&, int);

}  // namespace layerwise

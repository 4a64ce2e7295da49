#include "training/job/epoch_rows.h"

#include <algorithm>
#include <numeric>

namespace layerwise {

EpochRows::EpochRows(const TrainingOptions& options, int rows, bool shuffled)
    : corruption_(options.corruption), seed_(options.seed), fit_(options.fit), rows_(rows), shuffled_(shuffled) {}

void EpochRows::draw(const Rows& rows, int epoch) {
  if (epoch == epoch_) return;
  epoch_ = epoch;
  if (corruption_) noise_.emplace(*corruption_, seed_, fit_, static_cast<std::uint32_t>(epoch));
  if (!shuffled_) return;
  order_.resize(rows_);
  if (rows.order != nullptr) {
    std::copy(rows.order, rows.order + rows_, order_.begin());
  } else {
    std::iota(order_.begin(), order_.end(), 0u);
  }
  const std::uint64_t index = static_cast<std::uint64_t>(fit_) << 32 | static_cast<std::uint32_t>(epoch);
  shuffle_.emplace(order_.data(), rows_, seed_, static_cast<std::uint32_t>(Stream::shuffle), index);
}

}  // namespace layerwise

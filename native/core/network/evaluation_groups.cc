// Whether an Evaluator's rows come in groups, and the room for those.
#include <algorithm>

#include "network/evaluation.h"

namespace layerwise {

template <typename T>
void Evaluator<T>::choose_products(const Gather<T>& rows, const Noise* noise) {
  if (products_chosen_) return;
  if (zeros_prevail(rows, noise)) {
    products_.front() = layerwise::choose_products<T>(network_.layers.front(), InputKind::grouped);
    grouped_ = true;
    plans_.clear();
    plan(most_rows_);  // which stays the first
  }
  products_chosen_ = true;
}

// The parameters of a run, to all that multiplies by them.
template <typename T>
void Evaluator<T>::prepare_products(const Request& request) {
  for (const auto& products : products_) products->prepare(request.theta);
  const Through* through = request.rows->rows().through;
  if (through == nullptr) return;
  for (const auto& products : through_products_) products->prepare(static_cast<const T*>(through->theta));
}

// The groups of every chunk if they are read more than once and there is room, else of one.
template <typename T>
void Evaluator<T>::make_room_for_groups(const Plan& plan, bool met_again) {
  const int rows = most_rows_in_chunk(), blocks = Plan::most_blocks(network_, rows, sizeof(T));
  const std::size_t bytes = GroupedChunk<T>::bytes(rows, blocks, network_.inputs());
  const auto chunks = static_cast<std::size_t>(plan.chunks.count);
  const std::size_t wanted = met_again && chunks * bytes <= kept_bytes_ ? chunks : 1;
  while (groups_.size() < wanted) groups_.emplace_back(rows, blocks, network_.inputs());
}

// Whether, by a look at some rows of all, products of groups are faster.
template <typename T>
bool Evaluator<T>::zeros_prevail(const Gather<T>& source, const Noise* noise) {
  constexpr int kGroupRows = RowGroups<T>::kRows, kSampledGroups = 64;
  const int rows = most_rows_in_chunk();
  if (!may_be_grouped(network_.layers.front(), rows, sizeof(T)) || source.rows().through != nullptr) return false;
  const Cut sample{source.rows().count - kGroupRows, std::min({kSampledGroups, rows / kGroupRows, source.rows().count})};
  const MatrixView<T> sampled(x_.data(), sample.count * kGroupRows, network_.inputs());
  const MatrixView<T> clean(noise != nullptr ? clean_.data() : x_.data(), sampled.rows, sampled.cols);
  for (int i = 0; i < sample.count; i++) source.read(nullptr, sample.begin(i), clean.rows_from(i * kGroupRows, kGroupRows));
  for (int i = 0; noise != nullptr && i < sampled.rows; i++) {
    const int row = sample.begin(i / kGroupRows) + i % kGroupRows;
    noise->corrupt(source.row_at(nullptr, row), clean.row(i), sampled.cols, sampled.row(i));
  }
  return groups_are_faster(GroupedChunk<T>::kept_share(sampled, kGroupRows), sizeof(T));
}

template void Evaluator<float>::choose_products(const Gather<float>&, const Noise*);
template void Evaluator<float>::prepare_products(const Request&);
template void Evaluator<float>::make_room_for_groups(const Plan&, bool);
template void Evaluator<double>::choose_products(const Gather<double>&, const Noise*);
template void Evaluator<double>::prepare_products(const Request&);
template void Evaluator<double>::make_room_for_groups(const Plan&, bool);

}  // namespace layerwise

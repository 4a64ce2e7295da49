#include "rows/indexed_chunk.h"

namespace layerwise {
namespace {

// A longer chunk rarely comes alone: a quarter more than is needed.
template <typename E>
void reserve(Buffer<E>& buffer, std::size_t size) {
  if (buffer.size() < size) buffer = Buffer<E>(size + size / 4);
}

}  // namespace

template <typename T>
void IndexedChunk<T>::open(const RowSource<T>& source, const std::uint32_t* order, int first, int count, const Noise* noise) {
  source_ = &source;
  order_ = order;
  noise_ = noise;
  first_ = first;
  rows_ = count;
  sorted_ = false;
  starts_.assign(1, 0);
  for (int i = 0; i < count; i++) starts_.push_back(size() + source.elements(order, first + i));
  reserve(columns_, size());
  reserve(clean_, size());
  if (noise != nullptr) reserve(noisy_, size());
}

template <typename T>
bool IndexedChunk<T>::fill(int begin, int count) {
  bool good = true;
  for (int i = begin; i < begin + count; i++) {
    const std::size_t from = starts_[i], n = starts_[i + 1] - from;
    good &= source_->read_elements(order_, first_ + i, n, columns_.data() + from, clean_.data() + from);
    if (noise_ == nullptr) continue;
    const std::size_t row = source_->row_at(order_, first_ + i);
    noise_->mask(row, columns_.data() + from, n, clean_.data() + from, noisy_.data() + from);
  }
  return good;
}

template <typename T>
IndexedRows<T> IndexedChunk<T>::target() const {
  return {rows_, source_->cols(), starts_.data(), columns_.data(), clean_.data(), nullptr};
}

template <typename T>
IndexedRows<T> IndexedChunk<T>::input() const {
  IndexedRows<T> rows = target();
  if (noise_ != nullptr) rows.values = noisy_.data();
  if (sorted_) rows.by_column = &lists_;
  return rows;
}

// A counting sort: elements of a column stay in the order of the rows.
template <typename T>
void IndexedChunk<T>::sort_columns() {
  if (sorted_) return;
  const IndexedRows<T> x = input();
  counts_.assign(static_cast<std::size_t>(x.cols), 0);
  for (std::size_t k = 0; k < size(); k++) counts_[x.columns[k]]++;
  listed_.clear();
  list_starts_.assign(1, 0);
  // From here on: where the next element of a listed column is put.
  for (std::uint32_t column = 0; column < counts_.size(); column++) {
    const std::uint32_t count = counts_[column];
    if (count == 0) continue;
    counts_[column] = static_cast<std::uint32_t>(listed_.size());
    listed_.push_back(column);
    list_starts_.push_back(list_starts_.back() + count);
  }
  reserve(list_rows_, size());
  reserve(list_values_, size());
  std::vector<std::size_t> next(list_starts_.begin(), list_starts_.end() - 1);
  for (int i = 0; i < rows_; i++) {
    for (std::size_t k = x.starts[i]; k < x.starts[i + 1]; k++) {
      const std::size_t to = next[counts_[x.columns[k]]]++;
      list_rows_[to] = static_cast<std::uint32_t>(i);
      list_values_[to] = x.values[k];
    }
  }
  lists_ = {static_cast<int>(listed_.size()), listed_.data(), list_starts_.data(), list_rows_.data(), list_values_.data()};
  sorted_ = true;
}

template class IndexedChunk<float>;
template class IndexedChunk<double>;

}  // namespace layerwise

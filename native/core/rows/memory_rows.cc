#include "rows/memory_rows.h"

#include <algorithm>
#include <stdexcept>
#include <type_traits>
#include <vector>

#include "kernels/vector_kernels.h"

namespace layerwise {
namespace {

// Rows in shuffled order come from anywhere: asked for this many rows ahead, they are there when their turn comes. Of long rows
// the beginning is enough; the processor sees the rest coming.
constexpr int kAhead = 8;
constexpr std::size_t kPrefetched = 1024, kCacheLine = 64;

}  // namespace

void check_places(const Rows& rows) {
  if (rows.order == nullptr) return;
  const auto stored = static_cast<std::uint32_t>(rows.stored);
  const auto named = [&](std::uint32_t row) { return row < stored; };
  if (!std::all_of(rows.order, rows.order + rows.count, named)) throw std::out_of_range("order: no such row");
}

void check_labels(const Rows& rows, std::uint32_t classes) {
  const RowRanges* ranges = rows.files && rows.files->ranges ? &*rows.files->ranges : nullptr;
  for (int i = 0; i < rows.count; i++) {
    const std::uint32_t position = rows.order != nullptr ? rows.order[i] : static_cast<std::uint32_t>(i);
    if (rows.labels[ranges != nullptr ? ranges->row(position) : position] >= classes) {
      throw std::out_of_range("labels: no such class");
    }
  }
}

template <typename T>
MatrixView<const T> MemoryRows<T>::in_place(int first, int count) const {
  const bool same_type = rows_.storage == (std::is_same<T, float>::value ? Storage::f32 : Storage::f64);
  if (!same_type || rows_.order != nullptr || rows_.scaling) return {};
  return {static_cast<const T*>(rows_.data) + static_cast<std::size_t>(first) * rows_.cols, count, rows_.cols};
}

template <typename T>
void MemoryRows<T>::read(const std::uint32_t* order, int first, MatrixView<T> out) const {
  const auto gather = vector_kernels<T>().gather[static_cast<int>(rows_.storage)];
  const char* data = static_cast<const char*>(rows_.data);
  const std::size_t row_bytes = rows_.cols * traits_of(rows_.storage).bytes;
  for (int i = 0; i < out.rows; i++) {
    if (i + kAhead < out.rows) {
      const char* ahead = data + this->row_at(order, first + i + kAhead) * row_bytes;
      for (std::size_t b = 0; b < std::min(row_bytes, kPrefetched); b += kCacheLine) __builtin_prefetch(ahead + b);
    }
    gather(data + this->row_at(order, first + i) * row_bytes, rows_.cols, rows_.scale, rows_.scaling, out.row(i));
  }
}

template <typename T>
void MemoryRows<T>::read_labels(const std::uint32_t* order, int first, int count, std::uint32_t* out) const {
  for (int i = 0; i < count; i++) out[i] = rows_.labels[this->row_at(order, first + i)];
}

template <typename T>
double MemoryRows<T>::value(int row, int column) const {
  std::vector<double> exact(rows_.cols);
  MemoryRows<double>(rows_).read(nullptr, row, {exact.data(), 1, rows_.cols});
  return exact[column];
}

template <typename T>
bool MemoryRows<T>::is_known_within(double low, double high) const {
  const StorageTraits& stored = traits_of(rows_.storage);
  if (!stored.whole() || rows_.scaling) return false;
  const double one = stored.low * rows_.scale, other = stored.high * rows_.scale;
  return std::min(one, other) >= low && std::max(one, other) <= high;
}

template class MemoryRows<float>;
template class MemoryRows<double>;

}  // namespace layerwise

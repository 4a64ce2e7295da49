#include "rows/file_rows.h"

#include <algorithm>
#include <vector>

#include "kernels/vector_kernels.h"

namespace layerwise {
namespace {

// Rows in shuffled order come from anywhere in a window: asked for this many rows ahead, they are there when their turn comes.
constexpr int kAhead = 8;
constexpr std::size_t kPrefetched = 1024, kCacheLine = 64;

}  // namespace

template <typename T>
FileRows<T>::FileRows(const Rows& rows)
    : RowSource<T>(rows.count, rows.cols, nullptr, rows.files->ranges ? &*rows.files->ranges : nullptr),
      rows_(rows),
      windows_(rows) {
  if (rows.weights != nullptr) this->weigh(rows.weights);
}

template <typename T>
void FileRows<T>::entries(int first, int count, std::uint32_t* out) const {
  for (int i = 0; i < count; i++) out[i] = static_cast<std::uint32_t>(first + i);
}

template <typename T>
void FileRows<T>::read(const std::uint32_t* order, int first, MatrixView<T> out) const {
  gather(order, first, out);
}

template <typename T>
template <typename E>
void FileRows<T>::gather(const std::uint32_t* order, int first, MatrixView<E> out) const {
  if (!windows_.is_open()) {
    for (int i = 0; i < out.rows; i++) std::fill_n(out.row(i), out.cols, E(0));
    return;
  }
  const auto gather_row = vector_kernels<E>().gather[static_cast<int>(rows_.storage)];
  const std::size_t prefetched = std::min(windows_.row_bytes(), kPrefetched);
  const char* ahead[kAhead];  // the next rows
  for (int i = -kAhead; i < out.rows; i++) {
    const int next = i + kAhead;
    const char* row = i >= 0 ? ahead[i % kAhead] : nullptr;
    if (next < out.rows) {
      const char* found = ahead[next % kAhead] = windows_.row(order, first + next);
      for (std::size_t b = 0; b < prefetched; b += kCacheLine) __builtin_prefetch(found + b);
    }
    if (i >= 0) gather_row(row, rows_.cols, rows_.scale, rows_.scaling, out.row(i));
  }
}

template <typename T>
void FileRows<T>::read_labels(const std::uint32_t* order, int first, int count, std::uint32_t* out) const {
  for (int i = 0; i < count; i++) out[i] = rows_.labels[this->row_at(order, first + i)];
}

template <typename T>
double FileRows<T>::value(int row, int column) const {
  std::vector<double> exact(rows_.cols);
  gather<double>(nullptr, row, {exact.data(), 1, rows_.cols});
  return exact[column];
}

template <typename T>
bool FileRows<T>::is_known_within(double low, double high) const {
  return MemoryRows<T>(rows_).is_known_within(low, high);
}

template class FileRows<float>;
template class FileRows<double>;

}  // namespace layerwise

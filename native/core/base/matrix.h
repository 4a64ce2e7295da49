#pragma once
#include <cstddef>

namespace layerwise {

enum class Transpose { no, yes };

// A row-major view of memory that it does not own. Stride is the distance between rows, in elements.
template <typename T>
struct MatrixView {
  T* data = nullptr;
  int rows = 0;
  int cols = 0;
  std::size_t stride = 0;

  MatrixView() = default;
  MatrixView(T* data, int rows, int cols) : MatrixView(data, rows, cols, static_cast<std::size_t>(cols)) {}
  MatrixView(T* data, int rows, int cols, std::size_t stride) : data(data), rows(rows), cols(cols), stride(stride) {}

  T* row(int i) const { return data + static_cast<std::size_t>(i) * stride; }
  MatrixView block(int row, int col, int height, int width) const { return {this->row(row) + col, height, width, stride}; }
  MatrixView rows_from(int row, int height) const { return block(row, 0, height, cols); }
  operator MatrixView<const T>() const { return {data, rows, cols, stride}; }
};

// The stride of our own matrices, in elements: whole cache lines, so that no vector of a row crosses two lines; in float32 an odd
// number of them, which avoids cache-set conflicts between rows. Short rows are not padded: they would grow too much.
inline std::size_t stride_for(int cols) {
  constexpr std::size_t kLine = 16, kFewest = 128;
  const auto width = static_cast<std::size_t>(cols);
  return width < kFewest ? width : ((width + kLine - 1) / kLine | 1) * kLine;
}

// A matrix in a buffer of rows * stride_for(cols) elements.
template <typename T>
MatrixView<T> matrix_in(T* data, int rows, int cols) {
  return {data, rows, cols, stride_for(cols)};
}

}  // namespace layerwise

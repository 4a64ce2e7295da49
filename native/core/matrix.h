#pragma once
#include <cstddef>

namespace layerwise {

enum class Transpose { no, yes };

// A row-major window into memory owned by someone else. Stride is the distance between rows, in elements.
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

}  // namespace layerwise

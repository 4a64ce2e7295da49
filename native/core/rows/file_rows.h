#pragma once
#include "rows/file_windows.h"
#include "rows/row_source.h"

namespace layerwise {

// The rows of files as T (Rows::files). Only windows of them are in memory; an order holds positions.
template <typename T>
class FileRows final : public RowSource<T> {
 public:
  explicit FileRows(const Rows& rows);

  void follow(const BlockPass& pass, const BlockPass* next) override { windows_.follow(pass, next); }
  void until(const StopFlag* stop) override { windows_.until(stop); }
  void entries(int first, int count, std::uint32_t* out) const override;
  std::size_t row_bytes() const override { return windows_.row_bytes(); }
  std::size_t window_bytes() const override { return windows_.bytes(); }
  void look(int first, int count) override { windows_.look(first, count); }
  void open(const std::uint32_t* order, int first, int count) override { windows_.open(order, first, count); }

  // Zeros where open() returned early.
  void read(const std::uint32_t* order, int first, MatrixView<T> out) const override;
  void read_labels(const std::uint32_t* order, int first, int count, std::uint32_t* out) const override;
  double value(int row, int column) const override;
  bool is_known_within(double low, double high) const override;

 private:
  template <typename E>
  void gather(const std::uint32_t* order, int first, MatrixView<E> out) const;

  Rows rows_;
  FileWindows windows_;
};

}  // namespace layerwise

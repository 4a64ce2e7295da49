#pragma once
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "network/network.h"
#include "products/products.h"
#include "rows/indexed_chunk.h"
#include "rows/memory_rows.h"

namespace layerwise {

// Layers that do not learn, and their parameters in the precision that computes.
struct FrozenLayers {
  Network network;
  const void* theta = nullptr;
};

// What frozen layers make of the rows of another source: they are computed whenever they are read, and never stored as a whole.
template <typename T>
class FrozenRows final : public RowSource<T> {
 public:
  // theta [layers.parameters] is the caller's. The last layer has no softmax.
  FrozenRows(std::unique_ptr<RowSource<T>> behind, const Network& layers, const T* theta);

  void follow(const BlockPass& pass, const BlockPass* next) override { behind_->follow(pass, next); }
  void until(const StopFlag* stop) override { behind_->until(stop); }
  void entries(int first, int count, std::uint32_t* out) const override { behind_->entries(first, count, out); }
  std::size_t row_bytes() const override { return behind_->row_bytes(); }
  std::size_t window_bytes() const override { return behind_->window_bytes(); }
  void look(int first, int count) override;
  void open(const std::uint32_t* order, int first, int count) override;
  // Any of the opened rows, each by one thread at a time.
  void read(const std::uint32_t* order, int first, MatrixView<T> out) const override;
  void read_labels(const std::uint32_t* order, int first, int count, std::uint32_t* out) const override {
    behind_->read_labels(order, first, count, out);
  }
  double value(int row, int column) const override;
  // Outputs of layers are rarely zeros, and a look costs a forward pass.
  bool may_be_sparse() const override { return false; }
  int broken_row() const override { return behind_->broken_row(); }
  std::size_t scratch_elements() const override;

 private:
  void hold(const std::uint32_t* order, int first, int count);

  std::unique_ptr<RowSource<T>> behind_;
  Network layers_;
  const T* theta_;
  std::vector<std::unique_ptr<Products<T>>> products_;  // [layers]
  Buffer<T> zeros_;                                     // biases of layers that have none
  mutable IndexedChunk<T> lists_;                       // the opened rows of an indexed source behind
  int first_ = 0;                                       // the first opened position
  int opened_ = 0;                                      // rows
  // [layers][opened rows, inputs]: what each layer takes in, written and read by the thread that reads the row.
  std::vector<Buffer<T>> inputs_;
};

// The source of rows of whatever kind: dense or sparse ones of memory, those of files, or what `frozen` makes of them where it is
// not null.
template <typename T>
std::unique_ptr<RowSource<T>> make_source(const Rows& rows, const FrozenLayers* frozen = nullptr);

}  // namespace layerwise

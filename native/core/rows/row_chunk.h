#pragma once
#include <vector>

#include "base/buffer.h"
#include "base/cut.h"
#include "products/grouped_chunk.h"
#include "products/layer_input.h"
#include "rows/corruption.h"
#include "rows/indexed_chunk.h"
#include "rows/row_source.h"

namespace layerwise {

// The rows of one run, and the noise that is laid over them.
template <typename T>
struct RowSelection {
  RowSource<T>* rows = nullptr;
  const std::uint32_t* order = nullptr;  // which rows; null: the source's own order
  int first = 0;                         // position of the first
  int count = 0;
  const Noise* noise = nullptr;  // on the inputs; the targets stay clean
  bool repeated = false;         // every run sees these rows, as many, in this order, under this noise
};

// The rows of the chunk at work as a network sees them: inputs, targets and labels, filled by row blocks. A chunk is a run of
// rows of a selection that is worked on together. What is kept of a chunk that is read again is not read again from the source.
//
// begin(), open() and end() are called serially; fill() by any thread, each block by one; the rest once a block is filled.
template <typename T>
class RowChunk {
 public:
  // At most so many rows in so many blocks. noisy: whether selections may have noise; labelled: whether labels are wanted.
  // indexed: whether the sources give index lists.
  RowChunk(int cols, int most_rows, int most_blocks, bool noisy, bool labelled, bool indexed = false);

  // Whether groups of rows keep so few columns that products with groups are faster: by a look at rows spread over the source.
  // Overwrites the open chunk.
  bool zeros_prevail(const RowSelection<T>& selection);
  // Rows come in groups from now on; those of chunks that are read again are kept, if they fit so many bytes.
  void expect_groups(std::size_t bytes);

  // A run over so many chunks; read_again: it opens each of them twice.
  void begin(const RowSelection<T>& selection, int chunks, bool read_again);
  // Chunk `index` of the run is the rows first … of the selection, cut so. again: this run had it open before.
  void open(int index, int first, const Cut& blocks, bool again);
  void fill(int block);
  // Before a gradient is made of all blocks, when they are filled. Serially.
  void prepare_gradient() {
    if (indexed_) lists_.sort_columns();
  }
  // Every row of the selection was read.
  void end() { seen_ = selection_.repeated; }

  int first() const { return first_; }  // within the selection
  int rows() const { return blocks_.total; }
  const Cut& blocks() const { return blocks_; }

  // The rows as the network takes them in, noise included: [rows, cols], in groups, or as index lists. Of all blocks, or of one.
  LayerInput<T> input() const;
  LayerInput<T> input(int block) const;
  // [rows, cols] without noise; of index lists use indexed_target().
  MatrixView<const T> target() const { return target_; }
  bool is_indexed() const { return indexed_; }
  IndexedRows<T> indexed_target(int block) const {
    return lists_.target().rows_from(blocks_.begin(block), blocks_.length(block));
  }
  // [rows] where labels are wanted.
  const std::uint32_t* labels() const { return labels_.data(); }
  // [rows] RowSource::weight; null where the rows have none and count 1 each.
  const double* weights() const { return selection_.rows->weighted() ? weights_.data() : nullptr; }
  // The sum of the weights; the number of rows where they have none. When every block is filled.
  double weight() const;

 private:
  MatrixView<T> own_input() const { return {x_.data(), rows(), cols_}; }
  // Where targets are written that do not lie in the source.
  MatrixView<T> own_target() const {
    return selection_.noise != nullptr ? MatrixView<T>(clean_.data(), rows(), cols_) : own_input();
  }

  int cols_, most_rows_, most_blocks_;
  bool indexed_;                 // rows come as index lists
  bool grouped_ = false;         // rows come in groups
  std::size_t group_bytes_ = 0;  // that kept groups may occupy
  bool seen_ = false;            // the rows of a repeated selection were all read by an earlier run

  Buffer<T> x_;                              // [most_rows, cols] inputs that do not lie in the source
  Buffer<T> clean_;                          // [most_rows, cols] targets of inputs with noise
  IndexedChunk<T> lists_;                    // in the place of both, of index lists
  std::vector<std::uint32_t> labels_;        // [most_rows]
  std::vector<double> weights_;              // [most_rows] of weighted sources
  std::vector<GroupedChunk<T>> group_room_;  // one for each chunk of a run, or one for all of them in turn

  // The run and its open chunk.
  RowSelection<T> selection_;
  int chunks_ = 0;
  int first_ = 0;
  Cut blocks_;
  MatrixView<const T> input_, target_;
  GroupedChunk<T>* groups_ = nullptr;
  bool in_place_ = false;       // target_ lies in the source
  bool filled_ = false;         // input_, target_ and labels_ hold the rows already
  bool groups_filled_ = false;  // and so does groups_
};

}  // namespace layerwise

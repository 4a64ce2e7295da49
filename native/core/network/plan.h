#pragma once
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/cut.h"
#include "base/memory_budget.h"
#include "network/network.h"
#include "products/layer_input.h"

namespace layerwise {

// How the work on one network is cut. A function of shapes, of precision and of whether rows come in groups, never of the number
// of threads: a gemm's bits depend on its cut, so this is what makes results the same at any number of threads.
struct Plan {
  // A block of rows of one layer's weight gradient, over all rows of a chunk; or, with rows 0, the layer's bias gradient.
  struct Tile {
    int layer;
    int row;
    int rows;
  };

  // The parameters of a tile: offset … offset+count-1 of the flat vector.
  struct Range {
    std::size_t offset;
    std::size_t count;
  };
  static Range range_of(const Network& network, const Tile& tile);

  Cut chunks;               // rows of an evaluation that are worked on together
  std::vector<Tile> tiles;  // the largest first, so that no thread is left alone with one at the end

  // Small layers whose gradient is made by row blocks, each by the thread that has its rows in cache, and then summed in
  // the order of the blocks, where a chunk has more than one. They have one tile of weights.
  std::vector<bool> by_blocks;  // [layers]

  // Row blocks of a chunk: each goes through forward and backward while its activations are in the core's cache.
  Cut blocks(int chunk_rows) const { return Cut::at_most(chunk_rows, block_rows); }
  int block_rows = 0;
  // Blocks of a chunk of so many rows, or of fewer, in whatever plan: at most so many.
  static int most_blocks(const Network& network, int chunk_rows, std::size_t element, InputKind input = InputKind::dense);

  // What the activations and deltas of a chunk occupy at most, in bytes, but for the fewest rows that are worth a chunk.
  static constexpr std::size_t kChunkBytes = MemoryBudget::kChunk;
  static constexpr int kFewestChunkRows = 512;
  // The same of index lists, whose outputs are as wide as what was left out of the rows.
  static constexpr int kFewestIndexedRows = 64;

  // Of all activations, slopes that are stored, and deltas that one row occupies, and of the row itself where it lies dense.
  static std::size_t row_elements(const Network& network, InputKind input = InputKind::dense);
  // Of the stored slopes of one layer.
  static std::size_t slope_elements(const DenseLayer& layer);

  // The longest chunk of any evaluation.
  static int most_chunk_rows(const Network& network, std::size_t element, std::size_t chunk_bytes = kChunkBytes,
                             InputKind input = InputKind::dense);

  // For one evaluation of cost and gradient over so many rows, which come in this form.
  static Plan evaluation(const Network& network, int rows, std::size_t element, std::size_t chunk_bytes = kChunkBytes,
                         InputKind input = InputKind::dense);

 private:
  void cut_weights(int index, const DenseLayer& layer, std::size_t element, InputKind input);
};

// Rows of a block in the forward pass (encode, reconstruct): fixed, so that rows encoded in parts cut at its multiples
// have the bits of rows encoded together.
int forward_block_rows(const Network& network);

// Operations of a training step over so many rows, in its products.
double step_flops(const Network& network, int rows);

}  // namespace layerwise

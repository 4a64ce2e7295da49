#include "network/plan.h"

#include <algorithm>

#include "base/thread_pool.h"
#include "products/choose.h"

namespace layerwise {
namespace {

// A block's share of every layer should stay in a core's L2 cache from forward to backward.
constexpr std::size_t kBlockBytes = std::size_t{3} << 19;

// Rows of a block of a wide network: by CPU time faster on 784-1000-784 than 125 rows; against 500 the difference drowned in
// noise. Batches are powers of two as a rule: by 250 rows, 512 made three blocks, of which two threads have two and one.
constexpr int kBlockRows = 256;

// So many rows are one block.
constexpr int kFewestBlockRows = 32;

// Four threads share a batch that leaves each of them so many rows, though two blocks would be tall enough for two.
constexpr int kSharedRows = 128;

// Weights of a tile at most, in float32 half of a second cache of 2 MiB; but fewer rows than this make a slow product: in 32 rows
// of 16,384 weights, training of 784-16384 took 12% longer than in 128.
constexpr int kTileElements = 1 << 18;
constexpr int kFewestTileRows = 128;

// Units of a tile whose product is made of groups: that packs nothing, so it is as fast in small tiles, which fill up the time of
// a thread that would have to wait at the end. Whole vectors at every level, as many in one tile as in another or one more:
// with 32 units for 16 some tiles of 784-200 had two vectors of AVX-512, and the gradient took 1.1 of the time.
constexpr int kGroupedUnits = 64, kUnitsOfVectors = 16;

// Rows of a block at most: tall blocks are what gemm likes; beyond kBlockRows they are worth it only while they fit the cache.
int tallest_block(const Network& network, std::size_t element, InputKind input) {
  const int fitting = static_cast<int>(kBlockBytes / (Plan::row_elements(network, input) * element));
  return std::max(kBlockRows, std::min(2 * kBlockRows, fitting));
}

// An even number of blocks, of 4 * kSharedRows rows on four at least. More rows have no fewer.
Cut shared_blocks(int rows, int tall) {
  const int enough = Cut::at_most(rows, tall).count, shared = std::min(4, rows / kSharedRows);
  return {rows, std::max(2, std::max(enough + enough % 2, shared - shared % 2))};
}

}  // namespace

Plan::Range Plan::range_of(const Network& network, const Tile& tile) {
  const DenseLayer& layer = network.layers[tile.layer];
  if (tile.rows == 0) return {layer.biases_at, static_cast<std::size_t>(layer.outputs)};
  const std::size_t inputs = layer.inputs;
  return {layer.weights_at + tile.row * inputs, tile.rows * inputs};
}

// The delta of the output layer takes the place of its output; for dense rows both are counted.
std::size_t Plan::row_elements(const Network& network, InputKind input) {
  const bool indexed = input == InputKind::indexed;
  std::size_t width = indexed ? 0 : static_cast<std::size_t>(network.inputs());
  for (const auto& layer : network.layers) width += 2 * stride_for(layer.outputs) + slope_elements(layer);
  return width - (indexed ? stride_for(network.outputs()) : 0);
}

std::size_t Plan::slope_elements(const DenseLayer& layer) {
  return traits_of(layer.activation).stores_slope ? stride_for(layer.outputs) : 0;
}

int Plan::most_chunk_rows(const Network& network, std::size_t element, std::size_t chunk_bytes, InputKind input) {
  const std::size_t fitting = chunk_bytes / (row_elements(network, input) * element);
  const int fewest = input == InputKind::indexed ? kFewestIndexedRows : kFewestChunkRows;
  return std::max(fewest, static_cast<int>(std::min<std::size_t>(fitting, 1 << 20)));
}

int Plan::most_blocks(const Network& network, int chunk_rows, std::size_t element, InputKind input) {
  return shared_blocks(chunk_rows, tallest_block(network, element, input)).count;
}

Plan Plan::evaluation(const Network& network, int rows, std::size_t element, std::size_t chunk_bytes, InputKind input) {
  Plan plan;
  plan.chunks = Cut::at_most(rows, most_chunk_rows(network, element, chunk_bytes, input));

  const int tall = tallest_block(network, element, input), most = plan.chunks.longest();
  const bool shared = useful_threads(step_flops(network, rows), 2) > 1;
  plan.block_rows = std::max(kFewestBlockRows, shared ? shared_blocks(most, tall).longest() : tall);

  for (int l = 0; l < network.depth(); l++) {
    const auto& layer = network.layers[l];
    plan.by_blocks.push_back(is_small(layer, element) && (l > 0 || input != InputKind::indexed));
    if (layer.tied_to >= 0) plan.by_blocks[layer.tied_to] = false;
    if (layer.owns_weights()) plan.cut_weights(l, layer, element, l == 0 ? input : InputKind::dense);
    if (layer.has_biases) plan.tiles.push_back({l, 0, 0});
  }
  const auto work = [&](const Tile& tile) { return static_cast<std::int64_t>(tile.rows) * network.layers[tile.layer].inputs; };
  std::stable_sort(plan.tiles.begin(), plan.tiles.end(), [&](const Tile& a, const Tile& b) { return work(a) > work(b); });
  return plan;
}

void Plan::cut_weights(int index, const DenseLayer& layer, std::size_t element, InputKind input) {
  if (input != InputKind::dense) {
    // Index lists write all of a tile before they read it, so it should fit the cache.
    const int fitting = kTileElements / layer.inputs / kUnitsOfVectors * kUnitsOfVectors;
    const int units = input == InputKind::grouped ? kGroupedUnits : std::clamp(fitting, kUnitsOfVectors, kGroupedUnits);
    const Cut cut{(layer.outputs + kUnitsOfVectors - 1) / kUnitsOfVectors, (layer.outputs + units - 1) / units};
    const auto begin = [&](int i) { return std::min(layer.outputs, cut.begin(i) * kUnitsOfVectors); };
    for (int i = 0; i < cut.count; i++) tiles.push_back({index, begin(i), begin(i + 1) - begin(i)});
    return;
  }
  const int half = (layer.outputs + 1) / 2;
  const int tall_enough = std::max(kFewestTileRows, kTileElements / layer.inputs);
  const Cut cut =
      Cut::at_most(layer.outputs, is_small(layer, element) ? layer.outputs : std::max(32, std::min(tall_enough, half)));
  for (int i = 0; i < cut.count; i++) tiles.push_back({index, cut.begin(i), cut.length(i)});
}

int forward_block_rows(const Network& network) { return Plan::row_elements(network) > 512 ? 256 : 512; }

double step_flops(const Network& network, int rows) {
  double weights = 0;
  for (const auto& layer : network.layers) weights += static_cast<double>(layer.weight_count());
  return 6 * weights * rows;
}

}  // namespace layerwise

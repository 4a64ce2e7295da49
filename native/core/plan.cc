#include "plan.h"

#include <algorithm>

namespace layerwise {
namespace {

// A block's share of every layer should stay in a core's L2 cache from forward to backward.
constexpr std::size_t kBlockBytes = std::size_t{3} << 19;

// Below so many operations a second thread costs more than it brings.
constexpr double kFlopsWorthAThread = 2e6;

// Elements of all activations and deltas that one row occupies.
std::size_t row_elements(const Network& network) {
  std::size_t width = static_cast<std::size_t>(network.inputs());
  for (const auto& layer : network.layers) width += 2 * static_cast<std::size_t>(layer.outputs);
  return width;
}

}  // namespace

int Plan::most_chunk_rows(const Network& network, std::size_t element, std::size_t chunk_bytes) {
  const std::size_t fitting = chunk_bytes / (row_elements(network) * element);
  return std::max(kFewestChunkRows, static_cast<int>(std::min<std::size_t>(fitting, 1 << 20)));
}

Plan Plan::evaluation(const Network& network, int rows, std::size_t element, std::size_t chunk_bytes) {
  Plan plan;
  plan.chunks = Cut::at_most(rows, most_chunk_rows(network, element, chunk_bytes));

  // Wide layers want tall blocks (gemm packs the whole weight matrix for each), narrow ones what fits the cache.
  const int fitting = static_cast<int>(kBlockBytes / (row_elements(network) * element));
  plan.block_rows = std::max(kFewestBlockRows, std::min(512, fitting));

  for (int l = 0; l < network.depth(); l++) {
    const auto& layer = network.layers[l];
    const int tile_rows = std::max(32, static_cast<int>((1 << 18) / std::max(1, layer.inputs)));
    const Cut cut = Cut::at_most(layer.outputs, tile_rows);
    for (int i = 0; i < cut.count; i++) plan.tiles.push_back({l, cut.begin(i), cut.length(i)});
    plan.tiles.push_back({l, 0, 0});
  }
  return plan;
}

int forward_block_rows(const Network& network) { return row_elements(network) > 512 ? 128 : 512; }

int useful_threads(double flops, int threads) {
  return std::max(1, static_cast<int>(std::min<double>(threads, flops / kFlopsWorthAThread)));
}

}  // namespace layerwise

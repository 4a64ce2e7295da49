#include "network/plan.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <map>

#include "core_testing.h"

namespace layerwise {
namespace {

TEST(Plan, ACutCoversItsRangeWithNearlyEqualBlocks) {
  for (int total : {1, 2, 7, 127, 128, 129, 1000, 1103}) {
    for (int most : {1, 2, 3, 128, 512}) {
      const Cut cut = Cut::at_most(total, most);
      EXPECT_EQ(cut.begin(0), 0);
      EXPECT_EQ(cut.begin(cut.count), total);
      for (int i = 0; i < cut.count; i++) {
        EXPECT_GE(cut.length(i), total / cut.count);
        EXPECT_LE(cut.length(i), std::min(most, total / cut.count + 1));
      }
    }
  }
}

void expect_tiles_once(const Network& network, const Plan& plan) {
  std::map<std::size_t, std::size_t> pieces;  // length by offset
  std::int64_t before = std::numeric_limits<std::int64_t>::max();
  for (const Plan::Tile& tile : plan.tiles) {
    const std::int64_t work = std::int64_t{tile.rows} * network.layers[tile.layer].inputs;
    EXPECT_LE(work, before);
    before = work;
    const Plan::Range range = Plan::range_of(network, tile);
    EXPECT_GT(range.count, 0u);
    EXPECT_TRUE(pieces.emplace(range.offset, range.count).second);
  }
  std::size_t at = 0;
  for (const auto& [offset, n] : pieces) {
    EXPECT_EQ(offset, at);
    at += n;
  }
  EXPECT_EQ(at, network.parameters);
}

TEST(Plan, TilesCoverTheParametersOnceAndTheLargestComesFirst) {
  const Network wide = network_of({1501, 301, 40, 1501}, Activation::sigmoid, Activation::identity);
  Network half;
  half.add(301, 77, Activation::sigmoid, false);
  half.add(77, 10, Activation::softmax);
  for (const Network& network : {wide, autoencoder(3, 2), network_of({5, 4}, Activation::tanh, Activation::tanh), half,
                                 tied_network({1501, 301, 40}, Activation::sigmoid, Activation::identity),
                                 tied_network({301, 40}, Activation::sigmoid, Activation::identity, false)}) {
    for (InputKind input : {InputKind::dense, InputKind::grouped, InputKind::indexed}) {
      expect_tiles_once(network, Plan::evaluation(network, 1000, sizeof(float), Plan::kChunkBytes, input));
    }
  }
}

TEST(Plan, TilesOfGroupedRowsAreSmallAndOfWholeVectors) {
  const Network network = autoencoder(784, 196);
  const Plan plain = Plan::evaluation(network, 256, sizeof(float));
  const Plan grouped = Plan::evaluation(network, 256, sizeof(float), Plan::kChunkBytes, InputKind::grouped);
  EXPECT_EQ(grouped.tiles.size(), plain.tiles.size() + 2);
  for (const Plan::Tile& tile : grouped.tiles) {
    if (tile.layer > 0 || tile.rows == 0) continue;
    EXPECT_GE(tile.rows, 48);
    EXPECT_LE(tile.rows, 64);
    EXPECT_EQ(tile.row % 16, 0);
  }
}

TEST(Plan, BlocksAreEvenInNumberAndFourFrom512RowsOn) {
  for (const Network& network : {autoencoder(64, 25), autoencoder(784, 196), autoencoder(784, 1000)}) {
    const auto blocks = [&](int rows) { return Plan::evaluation(network, rows, sizeof(float)).blocks(rows).count; };
    for (int rows : {256, 384}) EXPECT_EQ(blocks(rows), 2) << rows;
    for (int rows : {512, 600, 1000, 1024}) EXPECT_EQ(blocks(rows), 4) << rows;
    for (int rows : {1300, 2048, 2600, 3000}) EXPECT_EQ(blocks(rows) % 2, 0) << rows;
  }
}

TEST(Plan, FewRowsAreTwoBlocksIfTwoThreadsShareThem) {
  const auto blocks = [](const Network& network, int rows) {
    return Plan::evaluation(network, rows, sizeof(float)).blocks(rows).count;
  };
  for (int rows : {33, 64, 100}) EXPECT_EQ(blocks(autoencoder(784, 196), rows), 2) << rows;
  EXPECT_EQ(blocks(autoencoder(784, 196), 32), 1);
  for (int rows : {33, 64, 100}) EXPECT_EQ(blocks(autoencoder(64, 25), rows), 1) << rows;
}

TEST(Plan, ChunksAndBlocksAreBounded) {
  for (const Network& network : {autoencoder(64, 25), autoencoder(784, 1000), autoencoder(20000, 10)}) {
    const int most = Plan::most_chunk_rows(network, sizeof(double));
    int least_room = 0;
    for (int rows :
         {1, 31, 32, 33, 64, 127, 128, 255, 256, 257, 500, 511, 512, 513, 600, 681, 768, 769, 1025, 1400, 20011, 100000}) {
      const Plan plan = Plan::evaluation(network, rows, sizeof(double));
      const int room = Plan::most_blocks(network, std::min(rows, most), sizeof(double));
      EXPECT_GE(room, least_room);
      least_room = room;
      for (int c = 0; c < plan.chunks.count; c++) {
        EXPECT_LE(plan.chunks.length(c), most);
        EXPECT_LE(plan.blocks(plan.chunks.length(c)).count, room);
      }
    }
  }
}

TEST(Plan, SmallJobsGetFewThreadsAndLargeOnesAll) {
  EXPECT_EQ(useful_threads(1e3, 16), 1);
  EXPECT_EQ(useful_threads(1e12, 16), 16);
  EXPECT_EQ(useful_threads(1e12, 1), 1);
  for (double flops = 1e3; flops < 1e10; flops *= 2) EXPECT_LE(useful_threads(flops, 16), useful_threads(2 * flops, 16));
}

}  // namespace
}  // namespace layerwise

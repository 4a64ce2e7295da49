#include "products/choose.h"

#include <gtest/gtest.h>

#include <ostream>

namespace layerwise {

static void PrintTo(const Ways& ways, std::ostream* out) {
  *out << "forward " << static_cast<int>(ways.forward) << ", backward " << static_cast<int>(ways.backward) << ", gradient "
       << static_cast<int>(ways.gradient);
}

namespace {

constexpr VectorLevel kNarrow[] = {VectorLevel::baseline, VectorLevel::neon}, kWide[] = {VectorLevel::avx2, VectorLevel::avx512};
constexpr VectorLevel kAll[] = {VectorLevel::baseline, VectorLevel::neon, VectorLevel::avx2, VectorLevel::avx512};
constexpr std::size_t kElements[] = {sizeof(float), sizeof(double)};

DenseLayer layer_of(int inputs, int outputs) { return {inputs, outputs, Activation::sigmoid, 0, 0}; }

// A decoder over the matrix of an encoder from `outputs` to `inputs`.
DenseLayer tied_layer_of(int inputs, int outputs) { return {inputs, outputs, Activation::sigmoid, 0, 0, true, true, 0}; }

constexpr Ways kSmallWays = {RowsWay::panels, RowsWay::panels, GradientWay::registers};
constexpr Ways kBlasWays = {RowsWay::blas, RowsWay::blas, GradientWay::blas};
constexpr Ways kWideWays = {RowsWay::panels, RowsWay::panels, GradientWay::strips};

TEST(Choose, SmallLayersAreMultipliedInRegistersAtEveryLevel) {
  for (VectorLevel level : kAll) {
    for (std::size_t element : kElements) {
      EXPECT_EQ(choose_ways(layer_of(64, 25), element, level), kSmallWays);
      EXPECT_EQ(choose_ways(layer_of(64, 64), element, level), kSmallWays);
      EXPECT_TRUE(is_small(layer_of(64, 64), element, level));
      EXPECT_FALSE(is_small(layer_of(241, 17), element, level));
      EXPECT_FALSE(is_small(tied_layer_of(64, 25), element, level));
    }
  }
}

TEST(Choose, LayersThatAreNotSmallGoToOpenBlasByNarrowVectorsAndToOurProductsByWideOnes) {
  for (std::size_t element : kElements) {
    for (const DenseLayer& layer : {layer_of(241, 17), layer_of(784, 196), layer_of(1000, 1000)}) {
      for (VectorLevel level : kNarrow) EXPECT_EQ(choose_ways(layer, element, level), kBlasWays);
      for (VectorLevel level : kWide) EXPECT_EQ(choose_ways(layer, element, level), kWideWays);
    }
  }
}

TEST(Choose, WideLayersWhoseRowsAreWholePagesApartGoBackByOpenBlas) {
  constexpr Ways kBackByBlas = {RowsWay::panels, RowsWay::blas, GradientWay::strips};
  for (VectorLevel level : kWide) {
    EXPECT_EQ(choose_ways(layer_of(1024, 256), sizeof(float), level), kWideWays);  // 2^18 weights
    EXPECT_EQ(choose_ways(layer_of(1024, 257), sizeof(float), level), kBackByBlas);
    EXPECT_EQ(choose_ways(layer_of(512, 1000), sizeof(float), level), kWideWays);  // half a page
    EXPECT_EQ(choose_ways(layer_of(512, 1000), sizeof(double), level), kBackByBlas);
  }
}

TEST(Choose, TiedLayersReadTheirMatrixTheOtherWayRoundAndAddTheirGradientByOpenBlas) {
  constexpr Ways kTied = {RowsWay::panels, RowsWay::panels, GradientWay::blas};
  constexpr Ways kForwardByBlas = {RowsWay::blas, RowsWay::panels, GradientWay::blas};
  for (VectorLevel level : kWide) {
    EXPECT_EQ(choose_ways(tied_layer_of(196, 784), sizeof(float), level), kTied);
    EXPECT_EQ(choose_ways(tied_layer_of(300, 1024), sizeof(float), level), kForwardByBlas);
  }
  for (VectorLevel level : kNarrow) EXPECT_EQ(choose_ways(tied_layer_of(196, 784), sizeof(float), level), kBlasWays);
}

TEST(Choose, RowsOfALayerThatIsNeitherSmallNorTransposedMayBeGroupedFrom64On) {
  for (VectorLevel level : kAll) {
    EXPECT_TRUE(may_be_grouped(layer_of(784, 196), 64, sizeof(float), level));
    EXPECT_FALSE(may_be_grouped(layer_of(784, 196), 63, sizeof(float), level));
    EXPECT_FALSE(may_be_grouped(layer_of(64, 25), 1000, sizeof(float), level));
    EXPECT_FALSE(may_be_grouped(tied_layer_of(196, 784), 1000, sizeof(float), level));
  }
}

TEST(Choose, GroupsAreFasterUpToTheShareOfColumnsThatTheTableNames) {
  for (std::size_t element : kElements) {
    EXPECT_TRUE(groups_are_faster(0.2, element, VectorLevel::baseline));
    EXPECT_FALSE(groups_are_faster(0.21, element, VectorLevel::baseline));
    for (VectorLevel level : {VectorLevel::neon, VectorLevel::avx2, VectorLevel::avx512}) {
      EXPECT_TRUE(groups_are_faster(0.6, element, level));
      EXPECT_FALSE(groups_are_faster(0.61, element, level));
    }
  }
}

TEST(Choose, ASingleRowSkipsItsZerosFromMoreThanAnEighthOn) {
  for (VectorLevel level : kAll) {
    EXPECT_FALSE(zeros_are_skipped(98, 784, sizeof(float), level));
    EXPECT_TRUE(zeros_are_skipped(99, 784, sizeof(float), level));
    EXPECT_FALSE(zeros_are_skipped(0, 7, sizeof(float), level));
    EXPECT_TRUE(zeros_are_skipped(1, 7, sizeof(float), level));
  }
}

}  // namespace
}  // namespace layerwise

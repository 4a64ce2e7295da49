#include <gtest/gtest.h>

#include <memory>
#include <vector>

#include "base/cut.h"
#include "product_testing.h"
#include "products/dense_products.h"
#include "products/grouped_chunk.h"
#include "products/grouped_products.h"
#include "products/single_row.h"
#include "tolerances.h"

namespace layerwise {
namespace {

constexpr RowsWay kRowsWays[] = {RowsWay::blas, RowsWay::panels};
constexpr GradientWay kGradientWays[] = {GradientWay::blas, GradientWay::registers, GradientWay::strips};

template <typename T>
class ProductsOfALayer : public testing::Test {};
TYPED_TEST_SUITE(ProductsOfALayer, Precisions);

// A layer, its weights in a parameter vector that has others before them, and rows and deltas of it.
template <typename T>
struct Case {
  Case(int rows, int inputs, int outputs, bool transposed, double nonzero = 1)
      : layer{inputs, outputs, Activation::identity, kBefore, 0, false, transposed},
        theta(random_vector<T>(kBefore + layer.weight_count(), -1, 1, 5)),
        x(with_zeros<T>(rows, inputs, 2, nonzero, 6)),
        d(rows, outputs, 3, -1, 1, 8),
        w(outputs, inputs, 0),
        w_transposed(inputs, outputs, 0) {
    const MatrixView<const T> stored = layer.weights(theta.data());
    for (int i = 0; i < outputs; i++) {
      for (int j = 0; j < inputs; j++) w.at(i, j) = w_transposed.at(j, i) = transposed ? stored.row(j)[i] : stored.row(i)[j];
    }
  }

  MatrixView<const T> rows() const { return x.view(); }

  // Forward and gradient for this input, and back, against the definition.
  void expect_correct(Products<T>& products, const LayerInput<T>& input) const {
    products.prepare(theta.data());
    Spaced<T> out(x.rows(), layer.outputs, 1), before(x.rows(), layer.inputs, 1);
    products.forward(input, out.view());
    EXPECT_LE(product_error<T>(false, x, w_transposed, nullptr, out), tolerance::kProduct) << "forward";
    products.backward(d.view(), before.view());
    EXPECT_LE(product_error<T>(false, d, w, nullptr, before), tolerance::kProduct) << "backward";

    const Spaced<T>&a = layer.transposed ? x : d, &b = layer.transposed ? d : x;
    std::vector<T> scratch(products.scratch_elements());
    for (bool add : {false, true}) {
      const Spaced<T> earlier(a.cols(), b.cols(), 0, -1, 1, 9);
      Spaced<T> gradient = earlier;
      // Two tiles of it, one after the other.
      const int half = a.cols() / 2;
      for (const auto& [from, count] : {std::pair(0, half), std::pair(half, a.cols() - half)}) {
        if (count > 0) products.gradient(d.view(), input, from, add, gradient.view().rows_from(from, count), scratch.data());
      }
      EXPECT_LE(product_error<T>(true, a, b, add ? &earlier : nullptr, gradient), tolerance::kProduct) << "gradient " << add;
    }
  }

  static constexpr std::size_t kBefore = 11;
  DenseLayer layer;
  std::vector<T> theta;
  Spaced<T> x, d, w, w_transposed;
};

TYPED_TEST(ProductsOfALayer, AreCorrectByEveryWayForBothFormsOfTheMatrix) {
  using T = TypeParam;
  for (bool transposed : {false, true}) {
    for (const auto& [rows, inputs, outputs] : {std::tuple(1, 3, 2), std::tuple(37, 70, 45), std::tuple(300, 129, 66)}) {
      const Case<T> one(rows, inputs, outputs, transposed);
      for (RowsWay way : kRowsWays) {
        for (GradientWay gradient : kGradientWays) {
          SCOPED_TRACE(testing::Message() << rows << " rows of " << inputs << " to " << outputs << ", transposed " << transposed
                                          << ", ways " << static_cast<int>(way) << static_cast<int>(gradient));
          DenseProducts<T> products(one.layer, {way, way, gradient});
          one.expect_correct(products, one.rows());
        }
      }
    }
  }
}

TYPED_TEST(ProductsOfALayer, AreCorrectForRowsInGroupsOfOneBlockOrMoreAndForDenseOnes) {
  using T = TypeParam;
  constexpr Ways kWays = {RowsWay::panels, RowsWay::blas, GradientWay::strips};
  for (double nonzero : {0.0, 0.1, 1.0}) {
    for (int block_rows : {200, 64}) {
      SCOPED_TRACE(testing::Message() << nonzero << " of the elements, blocks of " << block_rows);
      const Case<T> one(145, 601, 70, false, nonzero);
      const Cut blocks = Cut::at_most(145, block_rows);
      GroupedChunk<T> chunk(145, blocks.count, 601);
      chunk.open(blocks);
      for (int b = 0; b < blocks.count; b++) chunk.put(b, one.rows().rows_from(blocks.begin(b), blocks.length(b)));
      GroupedProducts<T> products(one.layer, kWays);
      one.expect_correct(products, GroupedRows<T>{chunk.blocks(), blocks.count});
      one.expect_correct(products, one.rows());
    }
  }
}

TYPED_TEST(ProductsOfALayer, UseTheParametersPreparedLast) {
  using T = TypeParam;
  const Case<T> one(66, 90, 50, false, 0.1);
  GroupedChunk<T> chunk(66, 1, 90);
  chunk.open({66, 1});
  chunk.put(0, one.rows());
  const GroupedRows<T> groups{chunk.blocks(), 1};
  GroupedProducts<T> products(one.layer, {RowsWay::panels, RowsWay::panels, GradientWay::strips});
  const std::vector<T> zeros(one.theta.size(), T(0));
  Spaced<T> out(66, 50, 0), none(66, 50, 0, 0, 0, 1);
  products.prepare(zeros.data());
  products.forward(groups, out.view());
  EXPECT_TRUE(out.same_as(none));
  one.expect_correct(products, groups);
}

TYPED_TEST(ProductsOfALayer, OfASingleRowAreCorrectWithATransposedCopyAndWithout) {
  using T = TypeParam;
  for (bool transposed : {false, true}) {
    for (double nonzero : {0.0, 0.2, 1.0}) {
      const Case<T> one(1, 90, 50, transposed, nonzero);
      for (const T* copy : {static_cast<const T*>(nullptr), one.w_transposed.view().data}) {
        Spaced<T> z(1, 50, 0);
        multiply_row(one.layer, one.theta.data(), copy, one.rows().data, z.view().data);
        EXPECT_LE(product_error<T>(false, one.x, one.w_transposed, nullptr, z), tolerance::kProduct) << transposed << nonzero;
      }
    }
  }
}

}  // namespace
}  // namespace layerwise

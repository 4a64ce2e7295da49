#include <gtest/gtest.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "product_testing.h"
#include "products/grouped_chunk.h"
#include "tolerances.h"

namespace layerwise {
namespace {

template <typename T>
class VectorProduct : public testing::Test {};
TYPED_TEST_SUITE(VectorProduct, Precisions);

// Sizes around those of vectors, panels and groups of rows, inner sizes of more than one slice, and so many weights that they are
// prefetched.
template <typename T, typename Body>
void at_all_shapes(Body&& body) {
  for (VectorLevel level : levels()) {
    for (int m : {1, 2, 3, 5, 7, 13}) {
      for (int n : {1, 7, 16, 25, 66, 100, 300}) {
        for (int k : {1, 5, 900}) {
          SCOPED_TRACE(testing::Message() << vector_level_name(level) << ' ' << m << " x " << k << " x " << n);
          body(vector_kernels<T>(level), m, n, k);
        }
      }
    }
  }
}

TYPED_TEST(VectorProduct, OfATransposedMatrixFollowsTheDefinition) {
  using T = TypeParam;
  at_all_shapes<T>([](const VectorKernels<T>& kernels, int m, int n, int k) {
    // A gap behind the rows of b that is as wide as a vector lets them be read beyond their end.
    for (const auto& [add, gap] : {std::pair(false, 0), std::pair(true, 0), std::pair(false, 3), std::pair(true, 16)}) {
      const Spaced<T> a(k, m, gap, -1, 1, 1), b(k, n, gap, -1, 1, 2), before(m, n, gap, -1, 1, 3);
      Spaced<T> c = before;
      kernels.transposed_product(a.view(), b.view(), add, c.view());
      ASSERT_LE(product_error<T>(true, a, b, add ? &before : nullptr, c), tolerance::kProduct) << add << gap;
    }
  });
}

// Whether wide_gradient of deltas [k, m] and inputs [k, n] is the product that it should be, added and not, with gaps and
// without.
template <typename T>
void expect_wide_gradient(const VectorKernels<T>& kernels, int m, int n, int k) {
  std::vector<T> scratch(kernels.gradient_scratch);
  for (const auto& [add, gap] : {std::pair(false, 0), std::pair(true, 0), std::pair(false, 3), std::pair(true, 3)}) {
    const Spaced<T> d(k, m, gap, -1, 1, 1), x(k, n, gap, -1, 1, 2), before(m, n, gap, -1, 1, 3);
    Spaced<T> c = before;
    kernels.wide_gradient(d.view(), x.view(), add, c.view(), scratch.data());
    ASSERT_LE(product_error<T>(true, d, x, add ? &before : nullptr, c), tolerance::kProduct) << add << gap;
  }
}

TYPED_TEST(VectorProduct, OfDeltasAndInputsFollowsTheDefinition) { at_all_shapes<TypeParam>(expect_wide_gradient<TypeParam>); }

TYPED_TEST(VectorProduct, OfMoreDeltasThanArePackedAtOnceFollowsTheDefinition) {
  for (VectorLevel level : levels()) {
    SCOPED_TRACE(vector_level_name(level));
    for (int units : {336, 337, 700}) expect_wide_gradient(vector_kernels<TypeParam>(level), units, 20, 300);
  }
}

TYPED_TEST(VectorProduct, OfAMatrixAndAVectorFollowsTheDefinition) {
  using T = TypeParam;
  at_all_shapes<T>([](const VectorKernels<T>& kernels, int m, int n, int k) {
    for (int gap : {0, 3}) {
      const Spaced<T> w(n, k, gap, -1, 1, m), x(k, 1, 0, -1, 1, 2);
      Spaced<T> z(n, 1, 0);
      kernels.matrix_vector(w.view(), x.view().data, z.view().data);
      ASSERT_LE(product_error<T>(false, w, x, nullptr, z), tolerance::kProduct) << gap;
    }
  });
}

TYPED_TEST(VectorProduct, OfRowsAndWeightsFollowsTheDefinition) {
  using T = TypeParam;
  at_all_shapes<T>([](const VectorKernels<T>& kernels, int m, int n, int k) {
    for (int gap : {0, 3}) {
      const Spaced<T> a(m, k, gap, -1, 1, 1), b(k, n, gap, -1, 1, 2);
      Spaced<T> transposed(n, k, gap), c(m, n, gap), again(m, n, gap);
      kernels.transpose(b.view(), transposed.view());
      kernels.product(Transpose::no, a.view(), b.view(), c.view());
      ASSERT_LE(product_error<T>(false, a, b, nullptr, c), tolerance::kProduct) << gap;
      kernels.product(Transpose::yes, a.view(), std::as_const(transposed).view(), again.view());
      ASSERT_TRUE(c.same_as(again)) << gap;
    }
  });
}

// So rows encoded in parts have the bits of rows encoded together.
TYPED_TEST(VectorProduct, OfRowsAndWeightsHasTheBitsOfEachRowAlone) {
  using T = TypeParam;
  at_all_shapes<T>([](const VectorKernels<T>& kernels, int m, int n, int k) {
    const Spaced<T> a(m, k, 0, -1, 1, 1), b(k, n, 0, -1, 1, 2);
    Spaced<T> c(m, n, 0), alone(m, n, 0);
    kernels.product(Transpose::no, a.view(), b.view(), c.view());
    for (int i = 0; i < m; i++) {
      kernels.product(Transpose::no, a.view().rows_from(i, 1), b.view(), alone.view().rows_from(i, 1));
    }
    ASSERT_TRUE(c.same_as(alone));
  });
}

TYPED_TEST(VectorProduct, TransposesAMatrix) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& kernels, int rows, int cols, int gap) {
    const Spaced<T> in(rows, cols, gap, -1, 1, 1);
    Spaced<T> out(cols, rows, gap);
    kernels.transpose(in.view(), out.view());
    ASSERT_TRUE(out.gaps_untouched());
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) ASSERT_EQ(out.at(j, i), in.at(i, j));
    }
  });
}

// Rows in blocks of groups, as a level makes them. Another level's bands are others, so this does without GroupedChunk.
template <typename T>
struct Grouped {
  Grouped(const VectorKernels<T>& kernels, MatrixView<const T> x, int block_rows) {
    for (int i = 0; i < x.rows; i += block_rows) {
      const int rows = std::min(block_rows, x.rows - i), groups = RowGroups<T>::groups_of(rows);
      const std::size_t most = RowGroups<T>::most_columns(groups, x.cols);
      order.emplace_back(rows);
      values.emplace_back(most * RowGroups<T>::kRows);
      columns.emplace_back(most);
      starts.emplace_back(static_cast<std::size_t>(kernels.bands(x.cols)) * groups + 1);
      RowGroups<T> block;
      block.order = order.back().data();
      block.values = values.back().data();
      block.columns = columns.back().data();
      block.starts = starts.back().data();
      kernels.group_rows(x.rows_from(i, rows), block);
      blocks.push_back(block);
    }
  }
  std::vector<std::vector<T>> values;
  std::vector<std::vector<std::uint16_t>> order, columns;
  std::vector<std::vector<std::uint32_t>> starts;
  std::vector<RowGroups<T>> blocks;
};

// Wide rows have several bands, at every level.
template <typename T, typename Body>
void at_all_rows(Body&& body) {
  for (VectorLevel level : levels()) {
    for (int rows : {1, 2, 3, 7, 24}) {
      for (int cols : {1, 5, 64, 1001}) {
        for (double share : {0.0, 0.1, 1.0}) {
          SCOPED_TRACE(testing::Message() << vector_level_name(level) << ' ' << rows << " x " << cols << ", " << share);
          body(vector_kernels<T>(level), with_zeros<T>(rows, cols, cols == 64 ? 0 : 2, share, 7));
        }
      }
    }
  }
}

TYPED_TEST(VectorProduct, GroupsContainAllNonzerosAndNoZeroColumn) {
  using T = TypeParam;
  at_all_rows<T>([](const VectorKernels<T>& kernels, Spaced<T> x) {
    x.at(0, 0) = kNaN<T>;
    x.at(x.rows() - 1, x.cols() - 1) = T(-0.0);
    const Grouped<T> grouped(kernels, std::as_const(x).view(), 5);
    int first = 0;
    for (const RowGroups<T>& block : grouped.blocks) {
      Spaced<T> found(block.rows, x.cols(), 0);
      for (int i = 0; i < block.rows; i++) std::fill(found.view().row(i), found.view().row(i) + x.cols(), T(0));
      ASSERT_EQ(block.bands.total, x.cols());
      for (int at = 0; at < block.bands.count * block.groups(); at++) {
        const int band = at / block.groups(), row = at % block.groups() * 3;
        for (std::uint32_t k = block.starts[at]; k < block.starts[at + 1]; k++) {
          ASSERT_LT(block.columns[k], block.bands.length(band));
          bool zero = true;
          for (int r = 0; r < 3 && row + r < block.rows; r++) {
            const T value = block.values[std::size_t(k) * 3 + r];
            found.at(block.order[row + r], block.bands.begin(band) + block.columns[k]) = value;
            zero = zero && value == 0;
          }
          EXPECT_FALSE(zero);
        }
      }
      for (int i = 0; i < block.rows; i++) {
        for (int j = 0; j < x.cols(); j++) {
          const T expected = x.at(first + i, j);
          ASSERT_TRUE(found.at(i, j) == expected || (std::isnan(expected) && std::isnan(found.at(i, j)))) << i << ' ' << j;
        }
      }
      first += block.rows;
    }
    EXPECT_EQ(first, x.rows());
  });
}

// Rows of three kinds alternately; more than are searched together, and each time one of each kind is left over.
TYPED_TEST(VectorProduct, RowsOfAGroupAreSimilar) {
  using T = TypeParam;
  constexpr int kRows = 150, kCols = 1300;
  for (VectorLevel level : levels()) {
    const VectorKernels<T>& kernels = vector_kernels<T>(level);
    Spaced<T> x(kRows, kCols, 3);
    for (int i = 0; i < kRows; i++) {
      for (int j = 0; j < kCols; j++) x.at(i, j) = j / 50 % 3 == i % 3 ? 1 : 0;
    }
    const Grouped<T> grouped(kernels, std::as_const(x).view(), kRows);
    const RowGroups<T>& block = grouped.blocks[0];
    std::vector<int> seen(kRows, 0);
    int mixed = 0;
    for (int i = 0; i < kRows; i++) {
      seen[block.order[i]]++;
      if (i % 3 > 0 && block.order[i] % 3 != block.order[i - 1] % 3) mixed++;
    }
    EXPECT_EQ(mixed, 2 * 2) << vector_level_name(level);
    EXPECT_EQ(std::count(seen.begin(), seen.end(), 1), kRows);
  }
}

TYPED_TEST(VectorProduct, OfGroupsAndWeightsFollowsTheDefinition) {
  using T = TypeParam;
  at_all_rows<T>([](const VectorKernels<T>& kernels, const Spaced<T>& x) {
    for (int units : {1, 8, 25, 70}) {
      const Spaced<T> w(units, x.cols(), 3, -1, 1, 5);
      Spaced<T> transposed(x.cols(), units, 0), z(x.rows(), units, 2);
      kernels.transpose(w.view(), transposed.view());
      std::vector<T> panels(kernels.panel_elements(units, x.cols()), kNaN<T>);
      for (int p = 0; p < kernels.panel_count(units); p++) kernels.transpose_panel(w.view(), p, panels.data());
      const Grouped<T> grouped(kernels, x.view(), x.rows());
      kernels.grouped_product(grouped.blocks[0], panels.data(), z.view());
      ASSERT_LE(product_error<T>(false, x, transposed, nullptr, z), tolerance::kProduct) << units;
    }
  });
}

TYPED_TEST(VectorProduct, OfDeltasAndGroupsFollowsTheDefinition) {
  using T = TypeParam;
  at_all_rows<T>([](const VectorKernels<T>& kernels, const Spaced<T>& x) {
    for (int units : {1, 8, 25, 70}) {
      const Spaced<T> d(x.rows(), units, 2, -1, 1, 5), before(units, x.cols(), 3, -1, 1, 6);
      const Grouped<T> grouped(kernels, x.view(), 5);
      for (bool add : {false, true}) {
        Spaced<T> out = before;
        kernels.grouped_gradient(grouped.blocks.data(), static_cast<int>(grouped.blocks.size()), d.view(), add, out.view());
        ASSERT_LE(product_error<T>(true, d, x, add ? &before : nullptr, out), tolerance::kProduct) << units << add;
      }
    }
  });
}

// Blocks of more rows than are gone through together.
TYPED_TEST(VectorProduct, OfDeltasAndManyGroupsFollowsTheDefinition) {
  using T = TypeParam;
  constexpr int kRows = 2310, kCols = 190, kUnits = 37;
  const Spaced<T> x = with_zeros<T>(kRows, kCols, 2, 0.1, 7), d(kRows, kUnits, 2, -1, 1, 5), before(kUnits, kCols, 3, -1, 1, 6);
  for (VectorLevel level : levels()) {
    SCOPED_TRACE(vector_level_name(level));
    const VectorKernels<T>& kernels = vector_kernels<T>(level);
    for (int block_rows : {250, 2000}) {
      const Grouped<T> grouped(kernels, x.view(), block_rows);
      for (bool add : {false, true}) {
        Spaced<T> out = before;
        kernels.grouped_gradient(grouped.blocks.data(), static_cast<int>(grouped.blocks.size()), d.view(), add, out.view());
        EXPECT_LE(product_error<T>(true, d, x, add ? &before : nullptr, out), tolerance::kProduct) << block_rows << add;
      }
    }
  }
}

TYPED_TEST(VectorProduct, ChunksHaveRoomForBlocksWithoutZeros) {
  using T = TypeParam;
  for (int rows : {1, 3, 190, 200}) {
    const Spaced<T> x(rows, 37, 0, 1, 2, 4);
    const Cut blocks = Cut::at_most(rows, 64);
    GroupedChunk<T> chunk(rows, blocks.count, 37);
    for (int round = 0; round < 2; round++) {
      chunk.open(blocks);
      // Once in each direction: a block that writes into its neighbour's memory is overwritten only by a later block.
      for (int i = 0; i < blocks.count; i++) {
        const int b = round == 0 ? i : blocks.count - 1 - i;
        chunk.put(b, x.view().rows_from(blocks.begin(b), blocks.length(b)));
      }
    }
    for (int b = 0; b < blocks.count; b++) {
      const RowGroups<T>& block = chunk.block(b);
      ASSERT_EQ(block.rows, blocks.length(b));
      for (std::uint32_t k = 0; k < block.starts[block.bands.count * block.groups()]; k++) {
        const int at = static_cast<int>(k) / 37 * 3;  // bands apart, one group after another
        if (block.bands.count > 1) break;
        for (int r = 0; r < 3 && at + r < block.rows; r++) {
          const int row = blocks.begin(b) + block.order[at + r];
          ASSERT_EQ(block.values[std::size_t(k) * 3 + r], x.at(row, static_cast<int>(k) % 37));
        }
      }
    }
  }
}

TYPED_TEST(VectorProduct, TheShareOfColumnsKeptIsThatOfTheInspectedGroups) {
  using T = TypeParam;
  std::vector<T> x(12 * 10, T(0));
  EXPECT_EQ(GroupedChunk<T>::kept_share({x.data(), 12, 10}, 3), 0);
  x[0] = x[10] = x[23] = 1;  // two columns of the first group
  x[6 * 10 + 7] = kNaN<T>;   // one of the third
  EXPECT_DOUBLE_EQ(GroupedChunk<T>::kept_share({x.data(), 12, 10}, 3), 3.0 / 40);
  EXPECT_DOUBLE_EQ(GroupedChunk<T>::kept_share({x.data(), 12, 10}, 6), 3.0 / 20);
  EXPECT_DOUBLE_EQ(GroupedChunk<T>::kept_share({x.data(), 12, 10}, 9), 2.0 / 20);
  EXPECT_EQ(GroupedChunk<T>::kept_share({x.data(), 2, 10}, 3), 1);  // no group, nothing to skip
}

}  // namespace
}  // namespace layerwise

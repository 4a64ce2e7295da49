#include "rows/memory_rows.h"

#include <gtest/gtest.h>

#include <cmath>
#include <vector>

#include "core_testing.h"

namespace layerwise {
namespace {

constexpr int kRows = 6, kCols = 19;
const std::uint32_t kOrder[] = {5, 0, 0, 3};

template <typename E>
std::vector<E> stored() {
  std::vector<E> data(kRows * kCols);
  const auto values = random_vector<double>(data.size(), 0, 200, 1);
  for (std::size_t i = 0; i < data.size(); i++) data[i] = static_cast<E>(values[i]);
  return data;
}

// All of `count` rows from `first`, each value by its definition, in float64 and rounded once.
template <typename T, typename E>
void expect_rows(const Rows& rows, const std::vector<E>& data, const std::uint32_t* order, int first, int count) {
  const std::uint32_t* which = order != nullptr ? order : rows.order;
  Spaced<T> out(count, kCols, 3);
  MemoryRows<T>(rows).read(order, first, out.view());
  EXPECT_TRUE(out.gaps_untouched());
  for (int i = 0; i < count; i++) {
    const std::size_t row = which != nullptr ? which[first + i] : first + i;
    for (int j = 0; j < kCols; j++) {
      double value = data[row * kCols + j] * rows.scale;
      if (rows.scaling) value = (value - rows.scaling.shift[j]) * rows.scaling.factor[j];
      if (rows.scaling.centre != nullptr) value -= rows.scaling.centre[j];
      ASSERT_TRUE(same_bits(out.at(i, j), static_cast<T>(value))) << row << ' ' << j;
    }
  }
}

template <typename T, typename E>
void read_everything(double scale) {
  const std::vector<E> data = stored<E>();
  const auto shift = random_vector<double>(kCols, -50, 50, 2), factor = random_vector<double>(kCols, -2, 2, 3),
             centre = random_vector<double>(kCols, -9, 9, 4);
  for (const ColumnScaling& scaling : {ColumnScaling{}, ColumnScaling{shift.data(), factor.data(), nullptr},
                                       ColumnScaling{shift.data(), factor.data(), centre.data()}}) {
    Rows rows = rows_of(data, kCols);
    rows.scale = scale;
    rows.scaling = scaling;
    expect_rows<T>(rows, data, nullptr, 0, kRows);
    expect_rows<T>(rows, data, nullptr, 2, 3);
    expect_rows<T>(rows, data, kOrder, 1, 3);
    rows.order = kOrder;
    rows.count = 4;
    expect_rows<T>(rows, data, nullptr, 0, 4);
    const std::uint32_t composed[] = {2, 1};
    expect_rows<T>(rows, data, composed, 0, 2);
  }
}

TEST(MemoryRows, ReadsEveryStorageInAnyOrderScaledAndShifted) {
  read_everything<float, std::uint8_t>(1.0 / 255);
  read_everything<float, std::int8_t>(-0.5);
  read_everything<float, std::uint16_t>(3);
  read_everything<float, std::int16_t>(1);
  read_everything<float, std::uint32_t>(1);
  read_everything<float, std::int32_t>(0.1);
  read_everything<float, float>(1);
  read_everything<float, double>(1);
  read_everything<double, std::uint8_t>(1.0 / 255);
  read_everything<double, std::int32_t>(1);
  read_everything<double, float>(1);
  read_everything<double, double>(1);
}

TEST(MemoryRows, SubtractsALargeOffsetBeforeItRoundsToFloat) {
  for (double offset : {1e4, 1e9, 1e12}) {
    const std::vector<double> data = {offset + 1, offset - 2, offset + 3}, shift = {offset, offset, offset},
                              factor = {0.5, 0.5, 0.5}, centre = {1, 1, 1};
    Rows rows = rows_of(data, 3);
    rows.scaling = {shift.data(), factor.data(), centre.data()};
    std::vector<float> out(3);
    MemoryRows<float>(rows).read(nullptr, 0, {out.data(), 1, 3});
    EXPECT_EQ(out, std::vector<float>({-0.5, -2, 0.5}));
  }
}

TEST(MemoryRows, SubtractsALargeOffsetOfIntegersBeforeItRoundsToFloat) {
  const std::vector<std::int32_t> data = {2000000001, 1999999998, 2000000003};
  const std::vector<double> shift(3, 2e9), factor(3, 0.5);
  Rows rows = rows_of(data, 3);
  rows.scaling = {shift.data(), factor.data(), nullptr};
  std::vector<float> out(3);
  MemoryRows<float>(rows).read(nullptr, 0, {out.data(), 1, 3});
  EXPECT_EQ(out, std::vector<float>({0.5, -1, 1.5}));
}

TEST(MemoryRows, ReadsRowsInPlaceOnlyIfTheyNeedNoConversion) {
  const std::vector<float> floats = stored<float>();
  const std::vector<double> doubles = stored<double>();
  const std::vector<double> ones(kCols, 1);
  const auto in_place = [](const auto& source) { return source.in_place(2, 3).data; };
  EXPECT_EQ(in_place(MemoryRows<float>(rows_of(floats, kCols))), floats.data() + 2 * kCols);
  EXPECT_EQ(in_place(MemoryRows<double>(rows_of(doubles, kCols))), doubles.data() + 2 * kCols);
  EXPECT_EQ(in_place(MemoryRows<float>(rows_of(doubles, kCols))), nullptr);
  EXPECT_EQ(in_place(MemoryRows<double>(rows_of(floats, kCols))), nullptr);
  EXPECT_EQ(in_place(MemoryRows<float>(rows_of(stored<std::uint8_t>(), kCols))), nullptr);
  Rows ordered = rows_of(floats, kCols), shifted = ordered;
  ordered.order = kOrder;
  shifted.scaling.shift = shifted.scaling.factor = ones.data();
  EXPECT_EQ(in_place(MemoryRows<float>(ordered)), nullptr);
  EXPECT_EQ(in_place(MemoryRows<float>(shifted)), nullptr);
}

}  // namespace
}  // namespace layerwise

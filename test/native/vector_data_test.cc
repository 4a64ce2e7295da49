#include "vector_testing.h"

namespace layerwise {
namespace {

template <typename T>
class VectorData : public testing::Test {};
TYPED_TEST_SUITE(VectorData, Precisions);

TYPED_TEST(VectorData, RowSquaredErrorsAndSquaredDifferences) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& k, int rows, int cols, int gap) {
    const Spaced<T> y(rows, cols, gap, 0, 1, 1), x(rows, cols, gap + 3, 0, 1, 2);
    std::vector<double> out(rows, -1);
    k.row_squared_errors(y.view(), x.view(), out.data());
    Spaced<T> squares = y;
    k.squared_differences(squares.view(), x.view());
    for (int i = 0; i < rows; i++) {
      long double sum = 0;
      for (int j = 0; j < cols; j++) {
        const T error = y.at(i, j) - x.at(i, j);
        ASSERT_EQ(squares.at(i, j), error * error);
        const long double difference = static_cast<long double>(y.at(i, j)) - x.at(i, j);
        sum += difference * difference;
      }
      ASSERT_NEAR(out[i], sum, tolerance::kDot * sum);
    }
    ASSERT_TRUE(squares.gaps_untouched());
  });
}

// In float64, rounded to T once.
template <typename T, typename In, typename Gather>
void expect_gathered(const std::vector<In>& in, double scale, Gather&& gather) {
  const int cols = static_cast<int>(in.size());
  const auto shift = random_vector<double>(cols, -1, 1, 3), factor = random_vector<double>(cols, 0.5, 2, 4),
             centre = random_vector<double>(cols, -1, 1, 5);
  std::vector<T> plain(cols + 1, T(-77)), scaled = plain, centred = plain;
  gather(in.data(), cols, ColumnScaling{}, plain.data());
  gather(in.data(), cols, ColumnScaling{shift.data(), factor.data(), nullptr}, scaled.data());
  gather(in.data(), cols, ColumnScaling{shift.data(), factor.data(), centre.data()}, centred.data());
  for (int j = 0; j < cols; j++) {
    const double value = in[j] * scale, shifted = value - shift[j], product = shifted * factor[j];
    ASSERT_TRUE(same_bits(plain[j], static_cast<T>(value))) << j;
    ASSERT_TRUE(same_bits(scaled[j], static_cast<T>(product))) << j;
    ASSERT_TRUE(same_bits(centred[j], static_cast<T>(product - centre[j]))) << j;
  }
  for (const auto& out : {plain, scaled, centred}) EXPECT_EQ(out[cols], T(-77));
}

TYPED_TEST(VectorData, GatherConvertsScalesAndShifts) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& k, int, int cols, int) {
    std::vector<std::uint8_t> bytes(cols);
    for (int j = 0; j < cols; j++) bytes[j] = static_cast<std::uint8_t>(255 - 7 * j);
    for (double scale : {1.0, 1.0 / 255}) {
      expect_gathered<T>(bytes, scale, [&](const std::uint8_t* in, int n, const ColumnScaling& scaling, T* out) {
        k.gather_u8(in, n, scale, scaling, out);
      });
    }
    expect_gathered<T>(random_vector<float>(cols, -5, 5, 1), 1, k.gather_f32);
    expect_gathered<T>(random_vector<double>(cols, -5, 5, 2), 1, k.gather_f64);
  });
}

TEST(VectorDataOfFloats, SquaredErrorsOfFloatsAreCorrectBeyondTheRangeOfFloats) {
  for (VectorLevel level : levels()) {
    for (float size : {3e38f, 1e30f, 1e-30f}) {
      const std::vector<float> y(19, size), x(19, -size);
      double out;
      vector_kernels<float>(level).row_squared_errors({y.data(), 1, 19}, {x.data(), 1, 19}, &out);
      const double wanted = 19 * 4.0 * size * size;
      EXPECT_NEAR(out, wanted, tolerance::kDot * wanted);
    }
  }
}

TYPED_TEST(VectorData, GatherClipsFiniteValues) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& k, int, int cols, int) {
    const std::vector<double> in = random_vector<double>(cols, -5, 5, 2), shift(cols, 1.0), factor(cols, 0.5), centre(cols, 0.25);
    for (const double* less : {static_cast<const double*>(nullptr), centre.data()}) {
      std::vector<T> out(cols);
      std::vector<double> given = in;
      if (cols > 2) {
        given[0] = kInfinity<double>;
        given[1] = kNaN<double>;
      }
      k.gather_f64(given.data(), cols, {shift.data(), factor.data(), less, -1, 1}, out.data());
      for (int j = 0; j < cols; j++) {
        if (!std::isfinite(given[j])) {
          ASSERT_FALSE(std::isfinite(out[j]));
        } else {
          const double value = std::clamp((given[j] - 1) * 0.5, -1.0, 1.0);
          ASSERT_EQ(out[j], static_cast<T>(less != nullptr ? value - 0.25 : value));
        }
      }
    }
  });
}

TYPED_TEST(VectorData, BytesOver255ReachExactlyOne) {
  using T = TypeParam;
  for (VectorLevel level : levels()) {
    const std::vector<std::uint8_t> in(40, 255);
    std::vector<T> out(40);
    vector_kernels<T>(level).gather_u8(in.data(), 40, 1.0 / 255, {}, out.data());
    EXPECT_EQ(out, std::vector<T>(40, T(1)));
  }
}

TYPED_TEST(VectorData, WithinFindsOneElementOutsideOrNotFinite) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& k, int rows, int cols, int gap) {
    Spaced<T> x(rows, cols, gap, 2, 3, 1);
    x.at(0, 0) = 2;
    x.at(rows - 1, cols - 1) = 3;
    const auto inside = [&](T low, T high) { return k.within(x.view(), low, high); };
    ASSERT_TRUE(inside(2, 3));
    ASSERT_TRUE(inside(-kInfinity<T>, kInfinity<T>));
    for (int j : {0, cols / 2, cols - 1}) {
      const T kept = x.at(rows - 1, j);
      for (T bad : {std::nextafter(T(3), T(4)), std::nextafter(T(2), T(0)), kNaN<T>, kInfinity<T>, -kInfinity<T>}) {
        x.at(rows - 1, j) = bad;
        ASSERT_FALSE(inside(2, 3)) << bad;
        ASSERT_EQ(inside(-kInfinity<T>, kInfinity<T>), std::isfinite(bad)) << bad;
      }
      x.at(rows - 1, j) = kept;
    }
  });
}

}  // namespace
}  // namespace layerwise

#include <cstring>
#include <limits>

#include "base/denormals.h"
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

template <typename T>
using GatherRow = void (*)(const void* in, int cols, double scale, const ColumnScaling& scaling, T* out);

template <typename T>
GatherRow<T> gather_of(const VectorKernels<T>& k, Storage storage) {
  return k.gather[static_cast<int>(storage)];
}

// Numbers as they are stored, of which value_of(number) is the value: read in float64, rounded to T once.
template <typename T, typename In, typename ValueOf>
void expect_gathered(const std::vector<In>& in, double scale, GatherRow<T> gather, ValueOf&& value_of) {
  const int cols = static_cast<int>(in.size());
  const auto shift = random_vector<double>(cols, -1, 1, 3), factor = random_vector<double>(cols, 0.5, 2, 4),
             centre = random_vector<double>(cols, -1, 1, 5);
  std::vector<T> plain(cols + 1, T(-77)), scaled = plain, centred = plain;
  gather(in.data(), cols, scale, ColumnScaling{}, plain.data());
  gather(in.data(), cols, scale, ColumnScaling{shift.data(), factor.data(), nullptr}, scaled.data());
  gather(in.data(), cols, scale, ColumnScaling{shift.data(), factor.data(), centre.data()}, centred.data());
  for (int j = 0; j < cols; j++) {
    const double value = value_of(in[j]) * scale, shifted = value - shift[j], product = shifted * factor[j];
    ASSERT_TRUE(same_bits(plain[j], static_cast<T>(value))) << j;
    ASSERT_TRUE(same_bits(scaled[j], static_cast<T>(product))) << j;
    ASSERT_TRUE(same_bits(centred[j], static_cast<T>(product - centre[j]))) << j;
  }
  for (const auto& out : {plain, scaled, centred}) EXPECT_EQ(out[cols], T(-77));
}

template <typename In>
double as_double(In x) {
  return static_cast<double>(x);
}

template <typename T, typename In>
void expect_integers_gathered(const VectorKernels<T>& k, int cols, Storage storage) {
  std::vector<In> in(cols);
  const double low = static_cast<double>(std::numeric_limits<In>::min()),
               high = static_cast<double>(std::numeric_limits<In>::max());
  const auto values = random_vector<double>(cols, low, high, 6);
  for (int j = 0; j < cols; j++) in[j] = static_cast<In>(values[j]);
  in[0] = std::numeric_limits<In>::max();
  in[cols - 1] = std::numeric_limits<In>::min();
  EXPECT_EQ(traits_of(storage).low, low);
  EXPECT_EQ(traits_of(storage).high, high);
  for (double scale : {1.0, 1.0 / 255}) expect_gathered<T>(in, scale, gather_of(k, storage), as_double<In>);
}

TYPED_TEST(VectorData, GatherConvertsScalesAndShifts) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& k, int, int cols, int) {
    expect_integers_gathered<T, std::uint8_t>(k, cols, Storage::u8);
    expect_integers_gathered<T, std::int8_t>(k, cols, Storage::i8);
    expect_integers_gathered<T, std::uint16_t>(k, cols, Storage::u16);
    expect_integers_gathered<T, std::int16_t>(k, cols, Storage::i16);
    expect_integers_gathered<T, std::uint32_t>(k, cols, Storage::u32);
    expect_integers_gathered<T, std::int32_t>(k, cols, Storage::i32);
    expect_gathered<T>(random_vector<float>(cols, -5, 5, 1), 1, gather_of(k, Storage::f32), as_double<float>);
    expect_gathered<T>(random_vector<double>(cols, -5, 5, 2), 1, gather_of(k, Storage::f64), as_double<double>);
  });
}

constexpr int kPatterns = 65536;

// float16 by its definition in IEEE 754.
double half_value(std::uint16_t bits) {
  const int exponent = bits >> 10 & 31, mantissa = bits & 1023;
  const double size = exponent == 0    ? std::ldexp(mantissa, -24)
                      : exponent == 31 ? (mantissa == 0 ? kInfinity<double> : kNaN<double>)
                                       : std::ldexp(1024 + mantissa, exponent - 25);
  return bits >> 15 != 0 ? -size : size;
}

double bfloat_value(std::uint16_t bits) {
  const std::uint32_t wide = static_cast<std::uint32_t>(bits) << 16;
  float value;
  std::memcpy(&value, &wide, sizeof value);
  return value;
}

template <typename T>
void expect_all_patterns(Storage storage, double (*value_of)(std::uint16_t)) {
  std::vector<std::uint16_t> in(kPatterns);
  for (int i = 0; i < kPatterns; i++) in[i] = static_cast<std::uint16_t>(i);
  for (VectorLevel level : levels()) {
    std::vector<T> out(kPatterns), doubled(kPatterns);
    const auto gather = gather_of(vector_kernels<T>(level), storage);
    gather(in.data(), kPatterns, 1, {}, out.data());
    gather(in.data(), kPatterns, 2, {}, doubled.data());
    for (int i = 0; i < kPatterns; i++) {
      const double value = value_of(in[i]);
      if (std::isnan(value)) {
        ASSERT_TRUE(std::isnan(out[i]) && std::isnan(doubled[i])) << i;
      } else {
        ASSERT_TRUE(same_bits(out[i], static_cast<T>(value))) << i;
        ASSERT_TRUE(same_bits(doubled[i], static_cast<T>(2 * value))) << i;
      }
    }
  }
}

TYPED_TEST(VectorData, EveryFloat16AndBfloat16IsReadExactly) {
  expect_all_patterns<TypeParam>(Storage::f16, half_value);
  expect_all_patterns<TypeParam>(Storage::bf16, bfloat_value);
}

TYPED_TEST(VectorData, Float16IsReadExactlyWhereDenormalsCountAsZero) {
  const DenormalsOff off;
  expect_all_patterns<TypeParam>(Storage::f16, half_value);
}

TYPED_TEST(VectorData, GatherScalesAndShiftsHalves) {
  using T = TypeParam;
  for (VectorLevel level : levels()) {
    for (int cols : {1, 3, 15, 16, 17, 255, 256, 257, 600}) {
      std::vector<std::uint16_t> in(cols);
      // Finite in both types.
      for (int j = 0; j < cols; j++) in[j] = static_cast<std::uint16_t>(j * 7919 % 0x7b00 | (j % 2 << 15));
      for (double scale : {1.0, 1.0 / 255}) {
        expect_gathered<T>(in, scale, gather_of(vector_kernels<T>(level), Storage::f16), half_value);
      }
      for (auto& bits : in) bits = static_cast<std::uint16_t>(0x3000 | (bits & 0x8fff));
      expect_gathered<T>(in, 0.75, gather_of(vector_kernels<T>(level), Storage::bf16), bfloat_value);
    }
  }
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
      gather_of(k, Storage::f64)(given.data(), cols, 1, {shift.data(), factor.data(), less, -1, 1}, out.data());
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
    gather_of(vector_kernels<T>(level), Storage::u8)(in.data(), 40, 1.0 / 255, {}, out.data());
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

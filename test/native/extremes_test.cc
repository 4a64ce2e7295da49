#include "base/extremes.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <vector>

namespace layerwise {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

template <typename In>
Extremes of(Storage storage, const std::vector<In>& numbers) {
  return extremes_of(storage, numbers.data(), numbers.size());
}

TEST(Extremes, AreTheLeastAndTheLargestWhereverTheyStand) {
  for (std::size_t count : {1, 2, 63, 64, 65, 200}) {
    for (std::size_t least = 0; least < count; least++) {
      const std::size_t largest = count - 1 - least;
      std::vector<std::int16_t> numbers(count, 5);
      numbers[least] = -300;
      numbers[largest] = least == largest ? -300 : 400;
      const Extremes found = of(Storage::i16, numbers);
      EXPECT_EQ(found.low, -300);
      EXPECT_EQ(found.high, count == 1 || least == largest ? (count == 1 ? -300 : 5) : 400);
      EXPECT_EQ(found.bad, count);
    }
  }
}

TEST(Extremes, OfEachStorageAreThoseOfItsRange) {
  const auto expect = [](const Extremes& found, double low, double high) {
    EXPECT_EQ(found.low, low);
    EXPECT_EQ(found.high, high);
  };
  expect(of<std::uint8_t>(Storage::u8, {3, 0, 255}), 0, 255);
  expect(of<std::int8_t>(Storage::i8, {3, -128, 127}), -128, 127);
  expect(of<std::uint16_t>(Storage::u16, {3, 1, 65535}), 1, 65535);
  expect(of<std::uint32_t>(Storage::u32, {3, 1, 4294967295u}), 1, 4294967295.0);
  expect(of<std::int32_t>(Storage::i32, {3, std::numeric_limits<std::int32_t>::min()}), -2147483648.0, 3);
  expect(of<float>(Storage::f32, {-1e38f, 0, 2.5f}), static_cast<double>(-1e38f), 2.5);
  expect(of<double>(Storage::f64, {-1e300, 0, 5e-324}), -1e300, 5e-324);
  // The bits of -2, 1, 0.5 and -0.5.
  expect(of<std::uint16_t>(Storage::f16, {0xc000, 0x3c00, 0x3800, 0xb800}), 0xc000, 0x3c00);
  expect(of<std::uint16_t>(Storage::bf16, {0xbf00, 0x3f80, 0x3f00, 0xc000}), 0xc000, 0x3f80);
}

TEST(Extremes, NameTheFirstNumberThatIsNotFiniteAndLeaveAllSuchOut) {
  for (std::size_t place : {0, 1, 63, 64, 100, 129}) {
    for (double wrong : {kInfinity, -kInfinity, std::numeric_limits<double>::quiet_NaN()}) {
      std::vector<double> numbers(130, 1.5);
      numbers[place] = wrong;
      numbers.back() = wrong;
      const Extremes found = of(Storage::f64, numbers);
      EXPECT_EQ(found.bad, place);
      EXPECT_EQ(found.low, 1.5);
      EXPECT_EQ(found.high, 1.5);
      const std::vector<float> narrow(numbers.begin(), numbers.end());
      EXPECT_EQ(of(Storage::f32, narrow).bad, place);
    }
    for (std::uint16_t infinity : {0x7c00, 0xfc00, 0x7e01}) {
      std::vector<std::uint16_t> halves(130, 0x3c00);
      halves[place] = infinity;
      EXPECT_EQ(of(Storage::f16, halves).bad, place);
      // In bfloat16 these are large numbers.
      EXPECT_EQ(of(Storage::bf16, halves).bad, halves.size());
    }
  }
}

}  // namespace
}  // namespace layerwise

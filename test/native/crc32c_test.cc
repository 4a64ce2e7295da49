#include "base/crc32c.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

namespace layerwise {
namespace {

// Bit by bit, as the polynomial defines it.
std::uint32_t naive(const std::vector<unsigned char>& bytes, std::size_t from) {
  std::uint32_t state = 0xffffffff;
  for (std::size_t i = from; i < bytes.size(); i++) {
    state ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) state = (state >> 1) ^ ((state & 1) != 0 ? 0x82f63b78 : 0);
  }
  return ~state;
}

std::vector<unsigned char> some_bytes(std::size_t count) {
  std::vector<unsigned char> bytes(count);
  for (std::size_t i = 0; i < count; i++) bytes[i] = static_cast<unsigned char>(i * i * 7 + i / 3);
  return bytes;
}

TEST(Crc32c, HasTheCheckValueOfItsDefinition) {
  const std::string digits = "123456789";
  EXPECT_EQ(crc32c(0, digits.data(), digits.size()), 0xe3069283u);
  EXPECT_EQ(crc32c_by_tables(0, digits.data(), digits.size()), 0xe3069283u);
  EXPECT_EQ(crc32c(0, nullptr, 0), 0u);
}

TEST(Crc32c, IsThatOfTheBitsAtEveryLengthAndAlignment) {
  const auto bytes = some_bytes(80);
  for (std::size_t from = 0; from < bytes.size(); from++) {
    EXPECT_EQ(crc32c(0, bytes.data() + from, bytes.size() - from), naive(bytes, from)) << from;
    EXPECT_EQ(crc32c_by_tables(0, bytes.data() + from, bytes.size() - from), naive(bytes, from)) << from;
  }
}

TEST(Crc32c, ContinuesAnEarlierChecksum) {
  const auto bytes = some_bytes(1000);
  const std::uint32_t whole = crc32c(0, bytes.data(), bytes.size());
  for (std::size_t cut = 0; cut <= bytes.size(); cut += 37) {
    const std::uint32_t first = crc32c(0, bytes.data(), cut);
    EXPECT_EQ(crc32c(first, bytes.data() + cut, bytes.size() - cut), whole) << cut;
  }
}

}  // namespace
}  // namespace layerwise

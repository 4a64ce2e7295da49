#include "base/crc32c.h"

#include <array>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#include <nmmintrin.h>
#elif defined(__ARM_FEATURE_CRC32)
#include <arm_acle.h>
#endif

namespace layerwise {
namespace {

constexpr std::uint32_t kPolynomial = 0x82f63b78;

// tables[k][b] is what byte b becomes when k bytes of zeros follow it: eight bytes are then looked up independently.
using Tables = std::array<std::array<std::uint32_t, 256>, 8>;

Tables make_tables() {
  Tables tables{};
  for (std::uint32_t byte = 0; byte < 256; byte++) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ ((crc & 1) != 0 ? kPolynomial : 0);
    tables[0][byte] = crc;
  }
  for (std::size_t k = 1; k < tables.size(); k++) {
    for (std::size_t byte = 0; byte < 256; byte++) {
      const std::uint32_t crc = tables[k - 1][byte];
      tables[k][byte] = (crc >> 8) ^ tables[0][crc & 0xff];
    }
  }
  return tables;
}

// The state of a checksum is its complement.
std::uint32_t step_by_tables(std::uint32_t state, const unsigned char* bytes, std::size_t count) {
  static const Tables tables = make_tables();
  for (; count >= 8; bytes += 8, count -= 8) {
    state ^= static_cast<std::uint32_t>(bytes[0]) | static_cast<std::uint32_t>(bytes[1]) << 8 |
             static_cast<std::uint32_t>(bytes[2]) << 16 | static_cast<std::uint32_t>(bytes[3]) << 24;
    state = tables[7][state & 0xff] ^ tables[6][(state >> 8) & 0xff] ^ tables[5][(state >> 16) & 0xff] ^ tables[4][state >> 24] ^
            tables[3][bytes[4]] ^ tables[2][bytes[5]] ^ tables[1][bytes[6]] ^ tables[0][bytes[7]];
  }
  for (; count > 0; bytes++, count--) state = (state >> 8) ^ tables[0][(state ^ *bytes) & 0xff];
  return state;
}

#if defined(__x86_64__)

bool has_instruction() {
  unsigned a, b, c, d;
  return __get_cpuid(1, &a, &b, &c, &d) && (c & bit_SSE4_2) != 0;
}

// Clang counts the instruction apart from SSE 4.2.
#if defined(__clang__)
#define LAYERWISE_CRC32 __attribute__((target("sse4.2,crc32")))
#else
#define LAYERWISE_CRC32 __attribute__((target("sse4.2")))
#endif

LAYERWISE_CRC32 std::uint32_t step_by_instruction(std::uint32_t state, const unsigned char* bytes, std::size_t count) {
  std::uint64_t wide = state;
  for (; count >= 8; bytes += 8, count -= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes, 8);
    wide = _mm_crc32_u64(wide, word);
  }
  state = static_cast<std::uint32_t>(wide);
  for (; count > 0; bytes++, count--) state = _mm_crc32_u8(state, *bytes);
  return state;
}

#elif defined(__ARM_FEATURE_CRC32)

bool has_instruction() { return true; }

std::uint32_t step_by_instruction(std::uint32_t state, const unsigned char* bytes, std::size_t count) {
  for (; count >= 8; bytes += 8, count -= 8) {
    std::uint64_t word;
    std::memcpy(&word, bytes, 8);
    state = __crc32cd(state, word);
  }
  for (; count > 0; bytes++, count--) state = __crc32cb(state, *bytes);
  return state;
}

#else

bool has_instruction() { return false; }

std::uint32_t step_by_instruction(std::uint32_t state, const unsigned char* bytes, std::size_t count) {
  return step_by_tables(state, bytes, count);
}

#endif

}  // namespace

std::uint32_t crc32c(std::uint32_t before, const void* bytes, std::size_t count) {
  static const bool instruction = has_instruction();
  const auto* at = static_cast<const unsigned char*>(bytes);
  return ~(instruction ? step_by_instruction(~before, at, count) : step_by_tables(~before, at, count));
}

std::uint32_t crc32c_by_tables(std::uint32_t before, const void* bytes, std::size_t count) {
  return ~step_by_tables(~before, static_cast<const unsigned char*>(bytes), count);
}

}  // namespace layerwise

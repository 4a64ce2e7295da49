#pragma once
#include <cstddef>

namespace layerwise {

// How the numbers of a caller's rows are stored; float16 and bfloat16 as their bits.
enum class Storage { u8, i8, u16, i16, u32, i32, f16, bf16, f32, f64 };
constexpr int kStorageCount = 10;

struct StorageTraits {
  const char* name;  // as TypeScript calls it: lib/data/storage-type.ts
  std::size_t bytes;
  double low, high;  // of integers, what they range over; of floats both 0: they may be infinite, or NaN

  bool whole() const { return high > 0; }
};

inline constexpr StorageTraits kStorageTraits[kStorageCount] = {
    {"uint8", 1, 0, 255},        {"int8", 1, -128, 127},         {"uint16", 2, 0, 65535},
    {"int16", 2, -32768, 32767}, {"uint32", 4, 0, 4294967295.0}, {"int32", 4, -2147483648.0, 2147483647},
    {"float16", 2, 0, 0},        {"bfloat16", 2, 0, 0},          {"float32", 4, 0, 0},
    {"float64", 8, 0, 0},
};

constexpr const StorageTraits& traits_of(Storage storage) { return kStorageTraits[static_cast<int>(storage)]; }

}  // namespace layerwise

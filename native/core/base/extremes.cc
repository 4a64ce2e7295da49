#include "base/extremes.h"

#include <algorithm>
#include <cstdint>
#include <limits>

namespace layerwise {
namespace {

// So many numbers are compared side by side: the compiler makes vectors of them.
constexpr std::size_t kSide = 64;

// `key` maps a number to one that is ordered as it is, `good` says whether it is finite.
template <typename In, typename Key, typename Good, typename ToKey>
Extremes sweep(const In* numbers, std::size_t count, Good good, ToKey key, double (*back)(Key)) {
  std::size_t whole = count;
  Key low[kSide], high[kSide];
  std::fill(low, low + kSide, std::numeric_limits<Key>::max());
  std::fill(high, high + kSide, std::numeric_limits<Key>::lowest());
  const auto take = [&](std::size_t k, std::size_t side) {
    const Key number = key(numbers[k]);
    low[side] = number < low[side] ? number : low[side];
    high[side] = number > high[side] ? number : high[side];
  };
  std::size_t k = 0;
  for (; k + kSide <= count; k += kSide) {
    bool all = true;
    for (std::size_t side = 0; side < kSide; side++) all &= good(numbers[k + side]);
    if (!all) break;
    for (std::size_t side = 0; side < kSide; side++) take(k + side, side);
  }
  for (; k < count; k++) {
    if (good(numbers[k])) {
      take(k, 0);
    } else {
      whole = std::min(whole, k);
    }
  }
  return {back(*std::min_element(low, low + kSide)), back(*std::max_element(high, high + kSide)), whole};
}

template <typename In>
Extremes of_integers(const void* numbers, std::size_t count) {
  return sweep<In, In>(
      static_cast<const In*>(numbers), count, [](In) { return true; }, [](In number) { return number; },
      [](In number) { return static_cast<double>(number); });
}

template <typename In>
Extremes of_floats(const void* numbers, std::size_t count) {
  // Of infinite numbers and NaN the difference is NaN.
  return sweep<In, In>(
      static_cast<const In*>(numbers), count, [](In number) { return number - number == 0; }, [](In number) { return number; },
      [](In number) { return static_cast<double>(number); });
}

// Sign and magnitude as an integer with the same order, and back.
std::int16_t ordered(std::uint16_t bits) { return static_cast<std::int16_t>((bits & 0x8000) != 0 ? bits ^ 0x7fff : bits); }
double bits_of(std::int16_t number) {
  const auto bits = static_cast<std::uint16_t>(number);
  return number < 0 ? bits ^ 0x7fff : bits;
}

template <std::uint16_t kInfinity>
Extremes of_halves(const void* numbers, std::size_t count) {
  return sweep<std::uint16_t, std::int16_t>(
      static_cast<const std::uint16_t*>(numbers), count, [](std::uint16_t bits) { return (bits & 0x7fff) < kInfinity; }, ordered,
      bits_of);
}

}  // namespace

Extremes extremes_of(Storage storage, const void* numbers, std::size_t count) {
  switch (storage) {
    case Storage::u8:
      return of_integers<std::uint8_t>(numbers, count);
    case Storage::i8:
      return of_integers<std::int8_t>(numbers, count);
    case Storage::u16:
      return of_integers<std::uint16_t>(numbers, count);
    case Storage::i16:
      return of_integers<std::int16_t>(numbers, count);
    case Storage::u32:
      return of_integers<std::uint32_t>(numbers, count);
    case Storage::i32:
      return of_integers<std::int32_t>(numbers, count);
    case Storage::f16:
      return of_halves<0x7c00>(numbers, count);
    case Storage::bf16:
      return of_halves<0x7f80>(numbers, count);
    case Storage::f32:
      return of_floats<float>(numbers, count);
    case Storage::f64:
      return of_floats<double>(numbers, count);
  }
  return {0, 0, 0};
}

}  // namespace layerwise

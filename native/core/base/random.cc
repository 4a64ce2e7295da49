#include "base/random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>
#include <utility>

namespace layerwise {

namespace {

std::uint32_t low_word(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high_word(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

}  // namespace

std::uint32_t below(std::uint32_t bound, std::uint32_t high, std::uint32_t low) {
  const std::uint64_t carry = (std::uint64_t{low} * bound) >> 32;
  return high_word(std::uint64_t{high} * bound + carry);
}

Draws::Draws(std::uint64_t seed, std::uint32_t stream, std::uint64_t index)
    : key_{low_word(seed), high_word(seed)}, counter_{0, stream, low_word(index), high_word(index)} {}

Words Draws::block(std::uint32_t number) const {
  Words counter = counter_;
  counter[0] = number;
  return philox(counter, key_);
}

Words philox(Words counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t a = std::uint64_t{0xD2511F53} * counter[0];
    const std::uint64_t b = std::uint64_t{0xCD9E8D57} * counter[2];
    counter = {high_word(b) ^ counter[1] ^ key[0], low_word(b), high_word(a) ^ counter[3] ^ key[1], low_word(a)};
    key[0] += 0x9E3779B9;
    key[1] += 0xBB67AE85;
  }
  return counter;
}

template <typename T>
void uniform(T* out, std::size_t count, double low, double high, std::uint64_t seed, std::uint32_t stream, std::uint64_t index) {
  constexpr T kInfinity = std::numeric_limits<T>::infinity();
  T first = static_cast<T>(low), last = static_cast<T>(high);
  if (static_cast<double>(first) < low) first = std::nextafter(first, kInfinity);
  if (static_cast<double>(last) >= high) last = std::nextafter(last, -kInfinity);

  const Draws draws(seed, stream, index);
  const double width = high - low;
  for (std::size_t start = 0; start < count; start += 4) {
    const Words words = draws.block(static_cast<std::uint32_t>(start / 4));
    const std::size_t filled = std::min<std::size_t>(4, count - start);
    for (std::size_t k = 0; k < filled; ++k) {
      const double unit = (words[k] + 0.5) * 0x1p-32;
      out[start + k] = std::clamp(static_cast<T>(low + unit * width), first, last);
    }
  }
}

Shuffle::Shuffle(std::uint32_t* values, std::uint32_t count, std::uint64_t seed, std::uint32_t stream, std::uint64_t index,
                 std::uint32_t placed, std::uint32_t from)
    : values_(values), count_(count), placed_(placed), from_(from), draws_(seed, stream, index) {}

void Shuffle::place(std::uint32_t end) {
  // Some places at a time: their values are prefetched, since they may be anywhere in memory.
  constexpr std::uint32_t kAtOnce = 32;
  std::uint32_t other[kAtOnce];
  for (end = std::min(end, count_); placed_ < end;) {
    const std::uint32_t first = placed_, n = std::min(kAtOnce, end - first);
    Words words = draws_.block((from_ + first) / 2);
    for (std::uint32_t i = 0; i < n; ++i) {
      const std::uint32_t place = first + i, half = (from_ + place) % 2 * 2;
      if (half == 0) words = draws_.block((from_ + place) / 2);
      other[i] = place + below(count_ - place, words[half], words[half + 1]);
      __builtin_prefetch(values_ + other[i], 1);
    }
    for (std::uint32_t i = 0; i < n; ++i) std::swap(values_[first + i], values_[other[i]]);
    placed_ += n;
  }
}

void permutation(std::uint32_t* out, std::uint32_t count, std::uint64_t seed, std::uint32_t stream, std::uint64_t index) {
  std::iota(out, out + count, 0u);
  Shuffle(out, count, seed, stream, index).place(count);
}

template void uniform(float*, std::size_t, double, double, std::uint64_t, std::uint32_t, std::uint64_t);
template void uniform(double*, std::size_t, double, double, std::uint64_t, std::uint32_t, std::uint64_t);

}  // namespace layerwise

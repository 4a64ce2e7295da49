#include "random.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <utility>

namespace layerwise {

namespace {

using Words = std::array<std::uint32_t, 4>;

std::uint32_t low_word(std::uint64_t x) { return static_cast<std::uint32_t>(x); }
std::uint32_t high_word(std::uint64_t x) { return static_cast<std::uint32_t>(x >> 32); }

// The numbers of one use: blocks of four words, reachable in any order.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint32_t stream, std::uint64_t index)
      : key_{low_word(seed), high_word(seed)}, counter_{0, stream, low_word(index), high_word(index)} {}

  Words block(std::uint32_t number) const {
    Words counter = counter_;
    counter[0] = number;
    return philox(counter, key_);
  }

 private:
  std::array<std::uint32_t, 2> key_;
  Words counter_;
};

// floor(x * bound / 2^64) for the 64-bit x of two words: an integer in [0, bound), each as likely as the next within 2^-64.
std::uint32_t below(std::uint32_t bound, std::uint32_t high, std::uint32_t low) {
  const std::uint64_t carry = (std::uint64_t{low} * bound) >> 32;
  return high_word(std::uint64_t{high} * bound + carry);
}

}  // namespace

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

void permutation(std::uint32_t* out, std::uint32_t count, std::uint64_t seed, std::uint32_t stream, std::uint64_t index) {
  for (std::uint32_t i = 0; i < count; ++i) out[i] = i;
  const Draws draws(seed, stream, index);
  Words words{};
  for (std::uint32_t i = 0; i + 1 < count; ++i) {
    const std::uint32_t half = (i % 2) * 2;
    if (half == 0) words = draws.block(i / 2);
    const std::uint32_t left = count - i;
    std::swap(out[i], out[i + below(left, words[half], words[half + 1])]);
  }
}

template void uniform(float*, std::size_t, double, double, std::uint64_t, std::uint32_t, std::uint64_t);
template void uniform(double*, std::size_t, double, double, std::uint64_t, std::uint32_t, std::uint64_t);

}  // namespace layerwise

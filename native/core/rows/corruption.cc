#include "rows/corruption.h"

#include <algorithm>
#include <cmath>

#include "base/random.h"

namespace layerwise {
namespace {

// Uniform on (0, 1).
double unit(std::uint32_t word) { return (word + 0.5) * 0x1p-32; }

}  // namespace

// Seed, stream, fit and epoch fill a counter and a key; what they give is the key of a second draw, whose counter the rows and
// columns fill.
Noise::Noise(const Corruption& corruption, std::uint64_t seed, std::uint32_t fit, std::uint32_t epoch)
    : corruption_(corruption),
      words_(philox({0, static_cast<std::uint32_t>(Stream::corruption), epoch, fit},
                    {static_cast<std::uint32_t>(seed), static_cast<std::uint32_t>(seed >> 32)})) {}

std::array<std::uint32_t, 4> Noise::block(std::size_t row, int number) const {
  return philox({static_cast<std::uint32_t>(number), static_cast<std::uint32_t>(row), words_[2], words_[3]},
                {words_[0], words_[1]});
}

template <typename T>
void Noise::corrupt(std::size_t row, const T* clean, int cols, T* out) const {
  const double amount = corruption_.amount;
  const T low = static_cast<T>(corruption_.low), high = static_cast<T>(corruption_.high);
  for (int at = 0; at < cols; at += 4) {
    const auto words = block(row, at / 4);
    const int count = std::min(4, cols - at);
    double normal[4];
    if (corruption_.kind == Corruption::Kind::gaussian) {
      // Box & Muller: two normal numbers of two uniform ones.
      for (int pair = 0; pair < 4; pair += 2) {
        const double radius = std::sqrt(-2 * std::log(unit(words[pair])));
        const double angle = 6.283185307179586 * unit(words[pair + 1]);
        normal[pair] = radius * std::cos(angle);
        normal[pair + 1] = radius * std::sin(angle);
      }
    }
    for (int k = 0; k < count; k++) {
      const T value = clean[at + k];
      const double u = unit(words[k]);
      switch (corruption_.kind) {
        case Corruption::Kind::masking:
          out[at + k] = u < amount ? T(0) : value;
          break;
        case Corruption::Kind::gaussian:
          out[at + k] = static_cast<T>(value + amount * normal[k]);
          break;
        case Corruption::Kind::salt_and_pepper:
          out[at + k] = u < amount ? (u < amount / 2 ? low : high) : value;
          break;
      }
    }
  }
}

template <typename T>
void Noise::mask(std::size_t row, const std::uint32_t* columns, std::size_t count, const T* clean, T* out) const {
  int drawn = -1;  // the block of four columns whose numbers are in `words`
  std::array<std::uint32_t, 4> words{};
  for (std::size_t k = 0; k < count; k++) {
    const int number = static_cast<int>(columns[k] / 4);
    if (number != drawn) words = block(row, drawn = number);
    out[k] = unit(words[columns[k] % 4]) < corruption_.amount ? T(0) : clean[k];
  }
}

template void Noise::mask(std::size_t, const std::uint32_t*, std::size_t, const float*, float*) const;
template void Noise::mask(std::size_t, const std::uint32_t*, std::size_t, const double*, double*) const;
template void Noise::corrupt(std::size_t, const float*, int, float*) const;
template void Noise::corrupt(std::size_t, const double*, int, double*) const;

}  // namespace layerwise

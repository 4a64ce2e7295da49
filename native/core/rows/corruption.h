#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/matrix.h"

namespace layerwise {

// Noise on the inputs of training (Vincent et al. 2010, section 3.3).
struct Corruption {
  enum class Kind { masking, gaussian, salt_and_pepper };
  Kind kind = Kind::masking;
  double amount = 0;         // probability; the standard deviation of gaussian
  double low = 0, high = 1;  // what salt_and_pepper sets values to
};

// The noise of one epoch of one fit: a function of (seed, fit, epoch, row, column), whoever asks and in whatever order.
class Noise {
 public:
  Noise(const Corruption& corruption, std::uint64_t seed, std::uint32_t fit, std::uint32_t epoch);

  // out [cols] = the row `clean`, corrupted; `row` is its number in the data.
  template <typename T>
  void corrupt(std::size_t row, const T* clean, int cols, T* out) const;

  // The same of an index list: masking alone, under which zeros stay zeros. out [count] = the values in these columns, masked.
  template <typename T>
  void mask(std::size_t row, const std::uint32_t* columns, std::size_t count, const T* clean, T* out) const;

 private:
  std::array<std::uint32_t, 4> block(std::size_t row, int number) const;

  Corruption corruption_;
  std::array<std::uint32_t, 4> words_;
};

}  // namespace layerwise

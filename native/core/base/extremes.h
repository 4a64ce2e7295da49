#pragma once
#include <cstddef>

#include "base/storage.h"

namespace layerwise {

// The least and the largest of stored numbers, of halves as their bits; infinite and NaN ones are left out.
struct Extremes {
  double low, high;
  std::size_t bad;  // the first number that is infinite or NaN; the count if there is none
};

// Of at least one number.
Extremes extremes_of(Storage storage, const void* numbers, std::size_t count);

}  // namespace layerwise

#pragma once
#include <cstdint>

namespace layerwise {

// Bytes of memory that this process may use: the least of the machine's and those of its control groups. 0: not known.
std::uint64_t memory_limit();

}  // namespace layerwise

#pragma once
#include <cstddef>
#include <cstdint>

namespace layerwise {

// CRC32C (Castagnoli, reflected polynomial 0x82f63b78) of bytes that follow those of which `before` is the checksum; 0 of none.
std::uint32_t crc32c(std::uint32_t before, const void* bytes, std::size_t count);

// The same by tables, on every processor.
std::uint32_t crc32c_by_tables(std::uint32_t before, const void* bytes, std::size_t count);

}  // namespace layerwise

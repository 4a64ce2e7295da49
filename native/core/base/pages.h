#pragma once
#include <cstddef>

namespace layerwise {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Requests huge pages for [data, data + bytes), before it is written for the first time. A page fault for every 4 KiB costs more
// than filling the memory, and in a virtual machine finding the page of a row that is read out of order costs as much as reading
// it. This is a hint: it has no effect if the system does not support it or no huge page fits the range. Only whole pages within
// the range are affected, and they stay huge when the memory is reused.
void prefer_huge_pages(void* data, std::size_t bytes);

}  // namespace layerwise

#pragma once
#include <cstddef>

namespace layerwise {

constexpr std::size_t kHugePage = std::size_t{2} << 20;

// Asks the system for huge pages under [data, data + bytes), which is about to be written for the first time: a page fault for
// every 4 KiB costs more than the sweep that fills them, and in a virtual machine finding the page of a row that is read out of
// order costs as much as reading it. A hint: where it is not understood nothing happens, nor where no huge page fits
// the range. Only whole pages within the range are meant, and they stay so when the memory is used for something else.
void prefer_huge_pages(void* data, std::size_t bytes);

}  // namespace layerwise

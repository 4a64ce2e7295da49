#pragma once
#include <cstddef>

namespace layerwise {

// Asks the system for huge pages under [data, data + bytes), which is about to be written for the first time: a page fault for
// every 4 KiB costs more than the sweep that fills them, and in a virtual machine finding the page of a row that is read out of
// order costs as much as reading it. A hint: where it is not understood nothing happens. Only whole pages within the range are
// meant, and they stay so when the memory is used for something else.
void prefer_huge_pages(void* data, std::size_t bytes);

}  // namespace layerwise

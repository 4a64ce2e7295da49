#include <gtest/gtest.h>

#include <cstdint>
#include <fstream>
#include <ios>
#include <sstream>
#include <string>

#include "buffer.h"

namespace layerwise {
namespace {

// The flags that the kernel shows for the mapping in which an address lies; empty where it shows none.
std::string mapping_flags(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  std::ifstream smaps("/proc/self/smaps");
  bool inside = false;
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream in(line);
    if (in >> std::hex >> begin >> dash >> end && dash == '-') {
      inside = begin <= wanted && wanted < end;
    } else if (inside && line.rfind("VmFlags:", 0) == 0) {
      return line.substr(line.find(':') + 1) + ' ';
    }
  }
  return {};
}

bool system_has_huge_pages() {
  std::string choices;
  return std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), choices) && !mapping_flags(&choices).empty();
}

TEST(Pages, OfALargeBufferAreHugeOnesIfTheSystemHasThem) {
  if (!system_has_huge_pages()) GTEST_SKIP() << "this system has no huge pages, or does not show its mappings";
  const Buffer<float> large(std::size_t{16} << 20);
  EXPECT_NE(mapping_flags(large.data() + large.size() / 2).find(" hg "), std::string::npos);
}

TEST(Pages, OfASmallBufferAreThoseOfAllOthers) {
  const Buffer<float> small(1 << 10);
  EXPECT_EQ(mapping_flags(small.data()).find(" hg "), std::string::npos);
}

}  // namespace
}  // namespace layerwise

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <ios>
#include <new>
#include <sstream>
#include <string>

#include "base/buffer.h"
#include "core_testing.h"

namespace layerwise {
namespace {

// The kernel's flags of the mapping of an address; empty if it shows none.
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

TEST(Pages, OfALargeBufferAreHugeIfTheSystemHasThem) {
  if (!system_has_huge_pages()) GTEST_SKIP() << "this system has no huge pages, or does not show its mappings";
  for (std::size_t size : {std::size_t{1} << 17, std::size_t{300'000}, std::size_t{16} << 20}) {
    const Buffer<float> large(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large.data()) % kHugePage, 0u);
    for (const float* place : {large.data(), large.data() + size - 1}) {
      EXPECT_NE(mapping_flags(place).find(" hg "), std::string::npos) << size;
    }
  }
}

TEST(Pages, OfASmallBufferAreOrdinaryPages) {
  const Buffer<float> small(1 << 10);
  EXPECT_EQ(mapping_flags(small.data()).find(" hg "), std::string::npos);
}

TEST(Pages, OfABufferOfAnySizeAreZeroAndNotShared) {
  for (std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{17}, (std::size_t{1} << 17) - 1, std::size_t{1} << 17,
                           std::size_t{1} << 19, (std::size_t{1} << 19) + 1}) {
    const Buffer<float> one(size), other(size);
    for (const Buffer<float>* buffer : {&one, &other}) {
      EXPECT_EQ(buffer->size(), size);
      EXPECT_EQ(reinterpret_cast<std::uintptr_t>(buffer->data()) % 64, 0u);
      for (std::size_t i = 0; i < size; i++) ASSERT_EQ((*buffer)[i], 0);
      std::fill(buffer->data(), buffer->data() + size, 1.0f);
    }
  }
}

TEST(Pages, OfAnImpossibleBufferAreRefused) {
  if (kSanitized) GTEST_SKIP() << "sanitizers end the process at such a size";
  volatile std::size_t size = ~std::size_t{0} / 8;  // as no constant: compilers refuse it too
  EXPECT_THROW(Buffer<float>{size}, std::bad_alloc);
}

}  // namespace
}  // namespace layerwise

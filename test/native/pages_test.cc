#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <fstream>
#include <ios>
#include <new>
#include <sstream>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "core_testing.h"

namespace layerwise {
namespace {

// A mapping of this process, and the kernel's flags of it.
struct Mapping {
  std::uintptr_t begin, end;
  std::string flags;
};

// None if the kernel shows none.
std::vector<Mapping> mappings() {
  std::vector<Mapping> found;
  std::ifstream smaps("/proc/self/smaps");
  for (std::string line; std::getline(smaps, line);) {
    std::uintptr_t begin = 0, end = 0;
    char dash = 0;
    std::istringstream in(line);
    if (in >> std::hex >> begin >> dash >> end && dash == '-') {
      found.push_back({begin, end, {}});
    } else if (line.rfind("VmFlags:", 0) == 0 && !found.empty()) {
      found.back().flags = line.substr(line.find(':') + 1) + ' ';
    }
  }
  return found;
}

bool is_huge(const Mapping& mapping) { return mapping.flags.find(" hg ") != std::string::npos; }

// Whether huge pages were asked for at an address.
bool is_huge(const void* address) {
  const auto wanted = reinterpret_cast<std::uintptr_t>(address);
  const auto all = mappings();
  return std::any_of(all.begin(), all.end(),
                     [&](const Mapping& one) { return one.begin <= wanted && wanted < one.end && is_huge(one); });
}

// Bytes for which they were asked for.
std::uintptr_t huge_bytes() {
  std::uintptr_t sum = 0;
  for (const Mapping& one : mappings())
    if (is_huge(one)) sum += one.end - one.begin;
  return sum;
}

bool system_has_huge_pages() {
  std::string choices;
  return std::getline(std::ifstream("/sys/kernel/mm/transparent_hugepage/enabled"), choices) && !mappings().empty();
}

TEST(Pages, OfALargeBufferAreHugeIfTheSystemHasThem) {
  if (!system_has_huge_pages()) GTEST_SKIP() << "this system has no huge pages, or does not show its mappings";
  for (std::size_t size : {std::size_t{1} << 17, std::size_t{300'000}, std::size_t{16} << 20}) {
    const Buffer<float> large(size);
    EXPECT_EQ(reinterpret_cast<std::uintptr_t>(large.data()) % kHugePage, 0u);
    for (const float* place : {large.data(), large.data() + size - 1}) {
      EXPECT_TRUE(is_huge(place)) << size;
    }
  }
}

// Its memory may have been that of a large one before.
TEST(Pages, OfASmallBufferAreAsTheyWere) {
  const std::uintptr_t before = huge_bytes();
  const Buffer<float> small(1 << 10);
  EXPECT_EQ(huge_bytes(), before);
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

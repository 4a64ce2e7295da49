#include "products/blas_kernel.h"

#include <algorithm>
#include <cctype>
#include <cstring>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace layerwise {
namespace {

// Which vectors a kernel of OpenBLAS for x86-64 uses, by its name.
struct Known {
  const char* name;
  int rank;  // 0: SSE, 1: AVX, 2: AVX2 with fused multiply-add
};
constexpr Known kKnown[] = {
    // Builds without kernels for older processors call Prescott by the first of these names.
    {"Katmai", 0},     {"Coppermine", 0},   {"Northwood", 0}, {"Banias", 0},     {"Athlon", 0},      {"Prescott", 0},
    {"Nehalem", 0},    {"Core2", 0},        {"Penryn", 0},    {"Dunnington", 0}, {"Atom", 0},        {"Nano", 0},
    {"Opteron", 0},    {"Opteron_SSE3", 0}, {"Barcelona", 0}, {"Bobcat", 0},     {"Sandybridge", 1}, {"Bulldozer", 1},
    {"Piledriver", 1}, {"Steamroller", 1},  {"Excavator", 2}, {"Haswell", 2},    {"Zen", 2}};
// Of kernels with AVX-512, of those for other kinds of processors, and of those that came after this file.
constexpr int kBestRank = 3;

bool same_name(const std::string& a, const std::string& b) {
  const auto same = [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), same);
}

int rank_of(const std::string& kernel) {
  for (const auto& [name, rank] : kKnown) {
    if (same_name(kernel, name)) return rank;
  }
  return kBestRank;
}

// All that such a processor can run and that differ from each other, best first.
std::vector<std::string> kernels_of(const Processor& processor) {
  const std::string avx2 = processor.vendor == Processor::Vendor::amd ? "Zen" : "Haswell";
  switch (processor.level) {
    case VectorLevel::avx512:
      return {"SkylakeX", avx2, "Sandybridge", "Prescott"};
    case VectorLevel::avx2:
      return {avx2, "Sandybridge", "Prescott"};
    case VectorLevel::neon:
      return {"armv8"};
    default:
      return {"Prescott"};
  }
}

}  // namespace

bool equally_capable(const std::string& a, const std::string& b) { return rank_of(a) == rank_of(b); }

bool falls_short(const std::string& kernel, VectorLevel level) {
  const int possible = level == VectorLevel::avx512 ? kBestRank : level == VectorLevel::avx2 ? 2 : 0;
  return rank_of(kernel) < possible;
}

std::vector<std::string> kernels_to_try(const Processor& processor, const std::string& own) {
  std::vector<std::string> kernels = kernels_of(processor);
  kernels.erase(std::remove_if(kernels.begin(), kernels.end(), [&](const std::string& kernel) { return same_name(kernel, own); }),
                kernels.end());
  const auto no_better = [&](const std::string& kernel) {
    return !falls_short(own, processor.level) || rank_of(kernel) <= rank_of(own);
  };
  kernels.insert(std::find_if(kernels.begin(), kernels.end(), no_better), own);
  return kernels;
}

std::string choose_kernel(const Processor& processor, const std::string& own, const std::string& version,
                          const std::function<std::string(const std::string& kernel)>& take, const std::function<bool()>& right) {
  std::vector<std::string> wrong;
  for (const std::string& kernel : kernels_to_try(processor, own)) {
    const std::string taken = take(kernel);
    if (taken.empty()) continue;
    if (!right()) {
      wrong.push_back(taken);
      continue;
    }
    std::string reason = "OpenBLAS's own choice";
    if (taken != own) {
      const bool own_wrong = std::find(wrong.begin(), wrong.end(), own) != wrong.end();
      reason = "OpenBLAS " + version + " by itself would take " + own + ", which " +
               (own_wrong ? "multiplies wrongly on this processor" : "is less than this processor can do");
    }
    for (const std::string& other : wrong) {
      if (other != own) reason += "; " + other + " multiplies wrongly here";
    }
    return reason;
  }
  return "";
}

std::string kernel_in_advance(const Processor& processor) {
  if (processor.vendor != Processor::Vendor::intel || processor.family <= 6) return "";
  return processor.level == VectorLevel::avx512 || processor.level == VectorLevel::avx2 ? kernels_of(processor).front() : "";
}

Processor processor() {
  Processor found{best_vector_level(), Processor::Vendor::other, 0};
#if defined(__x86_64__)
  unsigned a = 0, b = 0, c = 0, d = 0;
  char vendor[12] = {};
  if (__get_cpuid(0, &a, &b, &c, &d)) {
    std::memcpy(vendor, &b, 4);
    std::memcpy(vendor + 4, &d, 4);
    std::memcpy(vendor + 8, &c, 4);
  }
  const auto is = [&](const char* name) { return std::memcmp(vendor, name, sizeof(vendor)) == 0; };
  if (is("GenuineIntel")) found.vendor = Processor::Vendor::intel;
  if (is("AuthenticAMD") || is("HygonGenuine")) found.vendor = Processor::Vendor::amd;
  if (__get_cpuid(1, &a, &b, &c, &d)) {
    const int base = a >> 8 & 0xf, extended = a >> 20 & 0xff;
    found.family = base == 0xf ? base + extended : base;
  }
#endif
  return found;
}

}  // namespace layerwise

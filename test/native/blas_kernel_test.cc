#include "products/blas_kernel.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <ostream>
#include <string>
#include <vector>

namespace layerwise {
namespace {

using Vendor = Processor::Vendor;

struct Case {
  const char* what;
  Processor processor;
  const char* own;
  std::vector<std::string> tried;
};

std::ostream& operator<<(std::ostream& out, const Case& one) { return out << one.what; }

class KernelsToTry : public testing::TestWithParam<Case> {};

// OpenBLAS's own choices are taken from its sources.
const Case kCases[] = {
    {"Emerald Rapids, 0.3.21: unknown models of Intel's are taken for Pentium 4",
     {VectorLevel::avx512, Vendor::intel, 6},
     "Prescott",
     {"SkylakeX", "Haswell", "Sandybridge", "Prescott"}},
    {"Raptor Lake, 0.3.21", {VectorLevel::avx2, Vendor::intel, 6}, "Prescott", {"Haswell", "Sandybridge", "Prescott"}},
    {"the same in a build without kernels for older processors, which names Prescott so",
     {VectorLevel::avx2, Vendor::intel, 6},
     "Katmai",
     {"Haswell", "Sandybridge", "Katmai", "Prescott"}},
    {"Zen 5, 0.3.20: unknown families of AMD's are taken for Barcelona",
     {VectorLevel::avx512, Vendor::amd, 26},
     "Barcelona",
     {"SkylakeX", "Zen", "Sandybridge", "Barcelona", "Prescott"}},
    {"Zen 4, 0.3.20: has AVX-512, as its family's first did not",
     {VectorLevel::avx512, Vendor::amd, 25},
     "Zen",
     {"SkylakeX", "Zen", "Sandybridge", "Prescott"}},
    {"Zen 5, 0.3.21",
     {VectorLevel::avx512, Vendor::amd, 26},
     "Cooperlake",
     {"Cooperlake", "SkylakeX", "Zen", "Sandybridge", "Prescott"}},
    {"Skylake, known", {VectorLevel::avx512, Vendor::intel, 6}, "SkylakeX", {"SkylakeX", "Haswell", "Sandybridge", "Prescott"}},
    {"Haswell, known", {VectorLevel::avx2, Vendor::intel, 6}, "Haswell", {"Haswell", "Sandybridge", "Prescott"}},
    {"Zen 2, known", {VectorLevel::avx2, Vendor::amd, 23}, "Zen", {"Zen", "Sandybridge", "Prescott"}},
    {"Excavator, known", {VectorLevel::avx2, Vendor::amd, 21}, "Excavator", {"Excavator", "Zen", "Sandybridge", "Prescott"}},
    {"a kernel that came after this table",
     {VectorLevel::avx512, Vendor::intel, 19},
     "Diamondrapids",
     {"Diamondrapids", "SkylakeX", "Haswell", "Sandybridge", "Prescott"}},
    {"Ivy Bridge: no AVX2", {VectorLevel::baseline, Vendor::intel, 6}, "Sandybridge", {"Sandybridge", "Prescott"}},
    {"Neoverse", {VectorLevel::neon, Vendor::other, 0}, "neoversen1", {"neoversen1", "armv8"}},
    {"an Arm core that OpenBLAS does not know", {VectorLevel::neon, Vendor::other, 0}, "armv8", {"armv8"}},
};

TEST_P(KernelsToTry, StartWithTheBestThatTheProcessorHas) {
  const Case& one = GetParam();
  EXPECT_EQ(kernels_to_try(one.processor, one.own), one.tried);
}

INSTANTIATE_TEST_SUITE_P(Processors, KernelsToTry, testing::ValuesIn(kCases));

// An OpenBLAS that has these kernels besides its own choice, some of which multiply wrongly.
struct Library {
  std::string now;
  std::vector<std::string> has, wrong;

  std::string reason(const Processor& processor) {
    const auto is_in = [](const std::vector<std::string>& names, const std::string& name) {
      return std::find(names.begin(), names.end(), name) != names.end();
    };
    const auto take = [&](const std::string& kernel) -> std::string {
      if (kernel == now) return now;
      return is_in(has, kernel) ? now = kernel : "";
    };
    const std::string own = now;
    return choose_kernel(processor, own, "0.3.21", take, [&] { return !is_in(wrong, now); });
  }
};

constexpr Processor kEmerald{VectorLevel::avx512, Vendor::intel, 6};
constexpr Processor kZen5{VectorLevel::avx512, Vendor::amd, 26};

TEST(ChooseKernel, ChoosesTheBestKernelThatMultipliesCorrectly) {
  Library known{"SkylakeX", {"Haswell"}, {}};
  EXPECT_EQ(known.reason(kEmerald), "OpenBLAS's own choice");

  Library unknown{"Prescott", {"SkylakeX", "Haswell"}, {}};
  EXPECT_EQ(unknown.reason(kEmerald), "OpenBLAS 0.3.21 by itself would take Prescott, which is less than this processor can do");
  EXPECT_EQ(unknown.now, "SkylakeX");
}

TEST(ChooseKernel, FallsBackToTheNextKernelIfOneMultipliesWrongly) {
  Library better{"Prescott", {"SkylakeX", "Haswell"}, {"SkylakeX"}};
  EXPECT_EQ(better.reason(kEmerald),
            "OpenBLAS 0.3.21 by itself would take Prescott, which is less than this processor can do; SkylakeX multiplies "
            "wrongly here");
  EXPECT_EQ(better.now, "Haswell");

  Library own{"Cooperlake", {"SkylakeX", "Zen"}, {"Cooperlake", "SkylakeX"}};
  EXPECT_EQ(own.reason(kZen5),
            "OpenBLAS 0.3.21 by itself would take Cooperlake, which multiplies wrongly on this processor; SkylakeX multiplies "
            "wrongly here");
  EXPECT_EQ(own.now, "Zen");
}

TEST(ChooseKernel, KeepsOpenBlassOwnKernelIfItCanSetNoOther) {
  Library fixed{"Prescott", {}, {}};
  EXPECT_EQ(fixed.reason(kEmerald), "OpenBLAS's own choice");
  EXPECT_EQ(fixed.now, "Prescott");
}

TEST(ChooseKernel, HasNoReasonIfEveryKernelIsWrong) {
  Library broken{"Prescott", {"Haswell"}, {"Prescott", "Haswell"}};
  EXPECT_EQ(broken.reason(kEmerald), "");
}

TEST(KernelInAdvance, IsNamedForFamiliesThatNoVersionKnows) {
  EXPECT_EQ(kernel_in_advance({VectorLevel::avx512, Vendor::intel, 19}), "SkylakeX");
  EXPECT_EQ(kernel_in_advance({VectorLevel::avx2, Vendor::intel, 18}), "Haswell");
  EXPECT_EQ(kernel_in_advance({VectorLevel::baseline, Vendor::intel, 15}), "");
  EXPECT_EQ(kernel_in_advance({VectorLevel::avx512, Vendor::intel, 6}), "");
  EXPECT_EQ(kernel_in_advance({VectorLevel::avx512, Vendor::amd, 26}), "");
}

TEST(FallsShort, ComparesWithTheProcessorNotWithTheVectorsInUse) {
  EXPECT_TRUE(falls_short("Haswell", VectorLevel::avx512));
  EXPECT_FALSE(falls_short("Haswell", VectorLevel::avx2));
  EXPECT_TRUE(falls_short("PRESCOTT", VectorLevel::avx2));
  EXPECT_FALSE(falls_short("Prescott", VectorLevel::baseline));
  EXPECT_FALSE(falls_short("SapphireRapids", VectorLevel::avx512));
}

TEST(EquallyCapable, ProcessorsAreRecognisedUnderAnyKernelName) {
  EXPECT_TRUE(equally_capable("Katmai", "Prescott"));
  EXPECT_TRUE(equally_capable("Haswell", "Zen"));
  EXPECT_FALSE(equally_capable("Haswell", "SkylakeX"));
}

}  // namespace
}  // namespace layerwise

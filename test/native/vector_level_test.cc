#include <gtest/gtest.h>

#include "denormals.h"
#include "vector_levels.h"
#include "vector_testing.h"

namespace layerwise {
namespace {

TEST(VectorLevel, IsTheOneWishedForWhereTheProcessorHasIt) {
  EXPECT_EQ(choose_level(VectorLevel::avx512, "avx512"), VectorLevel::avx512);
  EXPECT_EQ(choose_level(VectorLevel::avx512, "avx2"), VectorLevel::avx2);
  EXPECT_EQ(choose_level(VectorLevel::avx512, "baseline"), VectorLevel::baseline);
  EXPECT_EQ(choose_level(VectorLevel::avx2, "baseline"), VectorLevel::baseline);
}

TEST(VectorLevel, IsTheBestOneWhereTheWishCannotBeMet) {
  EXPECT_EQ(choose_level(VectorLevel::avx512, nullptr), VectorLevel::avx512);
  EXPECT_EQ(choose_level(VectorLevel::avx2, "avx512"), VectorLevel::avx2);
  EXPECT_EQ(choose_level(VectorLevel::baseline, "avx2"), VectorLevel::baseline);
  EXPECT_EQ(choose_level(VectorLevel::neon, "avx2"), VectorLevel::neon);
  EXPECT_EQ(choose_level(VectorLevel::neon, "baseline"), VectorLevel::neon);
  EXPECT_EQ(choose_level(VectorLevel::avx2, "sse9"), VectorLevel::avx2);
}

TEST(VectorLevel, HasItsOwnKernels) {
  EXPECT_EQ(&vector_kernels<float>(), &vector_kernels<float>(vector_level()));
  if (vector_level() == VectorLevel::avx512) {
    EXPECT_NE(&vector_kernels<float>(VectorLevel::avx512), &vector_kernels<float>(VectorLevel::avx2));
  }
  if (vector_level() >= VectorLevel::avx2 && vector_level() != VectorLevel::neon) {
    EXPECT_NE(&vector_kernels<double>(VectorLevel::avx2), &vector_kernels<double>(VectorLevel::baseline));
  }
}

double half(volatile double x) { return x * 0.5; }

TEST(DenormalsOff, FlushesWhileItLivesAndPutsTheSettingBack) {
  const double smallest = std::numeric_limits<double>::min();
  ASSERT_GT(half(smallest), 0);
  {
    DenormalsOff outer;
#if defined(__x86_64__) || defined(__aarch64__)
    EXPECT_EQ(half(smallest), 0);
    {
      DenormalsOff inner;
      EXPECT_EQ(half(smallest), 0);
    }
    EXPECT_EQ(half(smallest), 0);
#endif
  }
  EXPECT_GT(half(smallest), 0);
}

}  // namespace
}  // namespace layerwise

#include <gtest/gtest.h>

#include <set>

#include "base/denormals.h"
#include "kernels/levels/levels.h"
#include "vector_testing.h"

namespace layerwise {
namespace {

TEST(VectorLevel, IsTheOneWishedForIfTheProcessorHasIt) {
  EXPECT_EQ(choose_level(VectorLevel::avx512, "avx512"), VectorLevel::avx512);
  EXPECT_EQ(choose_level(VectorLevel::avx512, "avx2"), VectorLevel::avx2);
  EXPECT_EQ(choose_level(VectorLevel::avx512, "baseline"), VectorLevel::baseline);
  EXPECT_EQ(choose_level(VectorLevel::avx2, "baseline"), VectorLevel::baseline);
}

TEST(VectorLevel, IsTheBestOneIfTheWishIsNotAvailable) {
  EXPECT_EQ(choose_level(VectorLevel::avx512, nullptr), VectorLevel::avx512);
  EXPECT_EQ(choose_level(VectorLevel::avx2, "avx512"), VectorLevel::avx2);
  EXPECT_EQ(choose_level(VectorLevel::baseline, "avx2"), VectorLevel::baseline);
  EXPECT_EQ(choose_level(VectorLevel::neon, "avx2"), VectorLevel::neon);
  EXPECT_EQ(choose_level(VectorLevel::neon, "baseline"), VectorLevel::neon);
  EXPECT_EQ(choose_level(VectorLevel::avx2, "sse9"), VectorLevel::avx2);
}

TEST(VectorLevel, HasItsOwnKernels) {
  EXPECT_EQ(&vector_kernels<float>(), &vector_kernels<float>(vector_level()));
  std::set<const void*> tables;
  for (VectorLevel level : levels()) {
    tables.insert(&vector_kernels<float>(level));
    tables.insert(&vector_kernels<double>(level));
  }
  EXPECT_EQ(tables.size(), 2 * levels().size());
}

double half(volatile double x) { return x * 0.5; }

TEST(DenormalsOff, FlushesDuringItsLifetimeAndRestoresTheSetting) {
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

#include <gtest/gtest.h>

// Run only by scripts/test.mjs, which proves with it that failures of C++ tests are seen and counted.
TEST(Canary, DISABLED_Fails) { EXPECT_EQ(1 + 1, 3); }

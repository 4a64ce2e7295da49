#include <gtest/gtest.h>

// Run only by scripts/test.mjs, to check that failures of C++ tests are reported and counted.
TEST(Canary, DISABLED_Fails) { EXPECT_EQ(1 + 1, 3); }

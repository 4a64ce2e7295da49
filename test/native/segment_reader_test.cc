#include "rows/segment_reader.h"

#include "base/memory_budget.h"
#include "base/memory_limit.h"
#include "faulty_files.h"
#include "file_testing.h"

namespace layerwise {
namespace {

constexpr int kCols = 3, kRows = 1000;

TEST(SegmentReader, TellsTheSystemToForgetWhatWasReadWhereItIsAskedTo) {
  TestFolder folder;
  const std::vector<std::uint8_t> values = random_vector<std::uint8_t>(kRows * kCols, 0, 255, 1);
  const Rows rows = in_files(folder, rows_of(values, kCols), {400, 600});
  for (const bool forgetful : {false, true}) {
    FaultyFiles system;
    std::vector<std::uint8_t> found(values.size());
    {
      SegmentReader reader(rows.files->segments, kCols, system, forgetful);
      reader.read(0, kRows, reinterpret_cast<char*>(found.data()), FileSystem::Access::in_order);
      EXPECT_EQ(reader.path_of(399), rows.files->segments[0].path);
      EXPECT_EQ(reader.path_of(400), rows.files->segments[1].path);
    }
    EXPECT_EQ(found, values);
    EXPECT_EQ(system.forgotten, forgetful ? values.size() : 0u);
    EXPECT_EQ(system.open_files.load(), 0);
  }
}

TEST(FileIdentity, MatchesTimesThatAreKnownInMillisecondsOnly) {
  const FileIdentity exact{1, 2, 3, 5'123'456}, rounded{1, 2, 3, 5'000'000};
  EXPECT_TRUE(exact.matches(exact));
  EXPECT_TRUE(rounded.matches(exact));
  EXPECT_FALSE(exact.matches(rounded));
  EXPECT_FALSE(rounded.matches({1, 2, 3, 6'000'000}));
  EXPECT_FALSE(rounded.matches({1, 2, 4, 5'123'456}));
}

TEST(RowRanges, MapPositionsToRows) {
  const RowRanges ranges({{2, 5}, {5, 6}, {10, 12}});
  const std::vector<std::uint32_t> rows = {2, 3, 4, 5, 10, 11}, neighbours = {3, 2, 1, 1, 2, 1};
  ASSERT_EQ(ranges.count(), rows.size());
  for (std::uint32_t i = 0; i < rows.size(); i++) {
    EXPECT_EQ(ranges.row(i), rows[i]);
    EXPECT_EQ(ranges.neighbours(i), neighbours[i]);
  }
}

TEST(MemoryBudget, OfRowsOfFilesIsAtMost700MegabytesInAll) {
  using Budget = MemoryBudget;
  EXPECT_EQ(Budget::kept_beside(0), Budget::kKept);
  const std::size_t windows = 2 * Budget::kWindow;
  EXPECT_LE(windows + Budget::kChunk + Budget::kept_beside(windows), 700'000'000u);
  EXPECT_GT(Budget::kept_beside(windows), 256 * Budget::kMiB);
  EXPECT_EQ(Budget::kept_beside(std::size_t{1} << 40), 0u);
}

TEST(MemoryLimit, IsThatOfTheMachineOrLess) {
  const auto pages = static_cast<std::uint64_t>(sysconf(_SC_PHYS_PAGES)),
             bytes = static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
  EXPECT_GT(memory_limit(), std::uint64_t{1} << 20);
  EXPECT_LE(memory_limit(), pages * bytes);
}

}  // namespace
}  // namespace layerwise

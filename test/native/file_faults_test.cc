// What happens to rows of files when the files, or the disk, fail.
#include <fcntl.h>

#include <cmath>
#include <optional>
#include <thread>

#include "faulty_files.h"
#include "file_testing.h"
#include "rows/file_rows.h"

namespace layerwise {
namespace {

constexpr int kCols = 25;

// Float32 rows i*kCols, i*kCols+1, … in files, more than are read ahead.
class FileFaults : public testing::Test {
 protected:
  static constexpr int kRows = 600'000;
  static constexpr std::size_t kRowBytes = kCols * sizeof(float);

  FileFaults() {
    values_.resize(std::size_t{kRows} * kCols);
    for (std::size_t i = 0; i < values_.size(); i++) values_[i] = static_cast<float>(i);
    write();
  }

  void write() {
    Rows memory = rows_of(values_, kCols);
    memory.stored = kRows;
    rows_ = in_files(folder_, memory, {kRows / 2, kRows - kRows / 2});
    change([&](RowFiles& files) { files.system = &system_; });
  }
  template <typename Change>
  void change(const Change& change) {
    rows_ = changed_files(rows_, change);
  }
  const std::string& path(int file) const { return rows_.files->segments[file].path; }
  std::uint64_t offset(int file) const { return rows_.files->segments[file].offset; }

  // Reads all rows, so many at a time, and returns how many had their values before an exception came.
  template <typename Error>
  int rows_before(const std::function<void(const Error&)>& look, int at_once = 1000) {
    FileRows<float> source(rows_);
    return rows_before<Error>(source, look, at_once);
  }
  template <typename Error>
  int rows_before(FileRows<float>& source, const std::function<void(const Error&)>& look, int at_once = 1000) {
    std::vector<float> found(static_cast<std::size_t>(at_once) * kCols);
    for (int i = 0; i < kRows; i += at_once) {
      try {
        source.open(nullptr, i, at_once);
      } catch (const Error& error) {
        look(error);
        return i;
      }
      source.read(nullptr, i, {found.data(), at_once, kCols});
      if (!std::equal(found.begin(), found.end(), values_.begin() + std::size_t(i) * kCols)) return -1;
    }
    return kRows;
  }
  // The message of the FileError that reading all rows ends in.
  std::string file_error() {
    std::string message;
    rows_before<FileError>([&](const FileError& error) { message = error.what(); });
    return message;
  }

  TestFolder folder_;
  FaultyFiles& system_ = lasting_faulty_files();
  std::vector<float> values_;
  Rows rows_;
};

TEST_F(FileFaults, InterruptedAndShortReadsGoOn) {
  std::atomic<int> calls{0};
  system_.before_read = [&](std::size_t bytes, std::uint64_t) -> std::ptrdiff_t {
    const int call = calls++;
    return call % 3 == 0 ? -EINTR : static_cast<std::ptrdiff_t>(call % 3 == 1 ? 1 + bytes / 3 : bytes);
  };
  EXPECT_EQ(rows_before<FileError>([](const FileError& error) { ADD_FAILURE() << error.what(); }), kRows);
}

TEST_F(FileFaults, AnErrorOfTheDiskNamesFileRowAndErrorWhenItsWindowFallsDue) {
  const std::uint64_t bad = offset(1) + std::uint64_t{100'000} * kRowBytes + 5;
  for (const int error : {EIO, ESTALE}) {
    system_.before_read = [&](std::size_t bytes, std::uint64_t at) -> std::ptrdiff_t {
      // In one of the files alone: offsets of the other are even.
      if (at % 2 != offset(1) % 2 || at + bytes <= bad) return static_cast<std::ptrdiff_t>(bytes);
      return at <= bad ? -error : static_cast<std::ptrdiff_t>(bytes);
    };
    const int before = rows_before<FileError>([&](const FileError& thrown) {
      EXPECT_EQ(thrown.file(), path(1));
      EXPECT_STREQ(thrown.error_name(), error == EIO ? "EIO" : "ESTALE");
      EXPECT_LE(thrown.row(), kRows / 2 + 100'000);
      EXPECT_GE(thrown.row(), kRows / 2 + 90'000);
    });
    // No more than a window before it.
    EXPECT_LE(before, kRows / 2 + 100'000);
    EXPECT_GE(before, kRows / 2);
  }
}

TEST_F(FileFaults, AFileThatEndsEarlyIsAnErrorOfItsFirstMissingRow) {
  system_.before_read = [&](std::size_t bytes, std::uint64_t at) -> std::ptrdiff_t {
    const std::uint64_t end = 200'000 * kRowBytes + 4;
    return at >= end ? 0 : static_cast<std::ptrdiff_t>(std::min<std::uint64_t>(bytes, end - at));
  };
  rows_before<FileError>([&](const FileError& error) {
    EXPECT_EQ(error.file(), path(0));
    EXPECT_EQ(error.row(), 200'000);
    EXPECT_EQ(error.error_name(), nullptr);
    EXPECT_NE(std::string(error.what()).find("ends at byte 20000004"), std::string::npos) << error.what();
  });
}

TEST_F(FileFaults, FilesThatChangedBeforeTheyWereReadAreErrors) {
  const std::string changed = path(1) + ": changed while it was read";
  const auto expect_changed = [&] { EXPECT_EQ(file_error().compare(0, changed.size(), changed), 0) << file_error(); };
  EXPECT_EQ(file_error(), "");

  ASSERT_EQ(truncate(path(1).c_str(), 1000), 0);
  expect_changed();
  write();
  write_file(path(1), offset(1) + (kRows - kRows / 2) * kRowBytes, "more", 4, "ab");
  expect_changed();
  write();
  const FileIdentity before = identity_of(path(1));
  do {
    write_file(path(1), offset(1), "\x01", 1, "r+b");
  } while (before.matches(identity_of(path(1))));
  expect_changed();
  write();
  const std::string other = folder_.path("other");
  write_file(other, offset(1), values_.data() + kRows / 2 * kCols, (kRows - kRows / 2) * kRowBytes);
  ASSERT_EQ(rename(other.c_str(), path(1).c_str()), 0);
  expect_changed();
  write();
  ASSERT_EQ(unlink(path(1).c_str()), 0);
  rows_before<FileError>([&](const FileError& error) { EXPECT_STREQ(error.error_name(), "ENOENT"); });
}

TEST_F(FileFaults, AFileThatIsWrittenWhileItIsReadIsAnError) {
  FileRows<float> source(rows_);
  source.open(nullptr, 0, 1);
  ASSERT_EQ(truncate(path(1).c_str(), 1000), 0);
  EXPECT_EQ(rows_before<FileError>(source, [&](const FileError& error) { EXPECT_EQ(error.file(), path(1)); }) % 1000, 0);
}

TEST_F(FileFaults, AFailedWindowFailsAgainWhenItIsOpenedAgain) {
  FileRows<float> source(rows_);
  ASSERT_EQ(truncate(path(0).c_str(), 1000), 0);
  for (int i = 0; i < 3; i++) EXPECT_THROW(source.open(nullptr, 0, 10), FileError);
  source.open(nullptr, kRows - 10, 10);
  EXPECT_TRUE(std::isfinite(source.value(kRows - 1, 0)));
}

TEST_F(FileFaults, ABadValueIsNamedWhenItsWindowFallsDue) {
  constexpr int kBad = 400'123, kLater = 400'200;
  values_[std::size_t{kBad} * kCols + 3] = NAN;
  values_[std::size_t{kLater} * kCols] = INFINITY;
  write();
  const float most = std::numeric_limits<float>::max();
  change([&](RowFiles& files) { files.within = RowFiles::Within{-most, most}; });
  for (const bool scaled : {false, true}) {
    const std::vector<double> shift(kCols, 0), factor(kCols, 1);
    if (scaled) rows_.scaling.shift = shift.data(), rows_.scaling.factor = factor.data();
    const int before = rows_before<BadValue>([&](const BadValue& error) {
      EXPECT_EQ(error.file(), path(1));
      EXPECT_EQ(error.row(), kBad);
      EXPECT_EQ(error.column(), 3);
      EXPECT_TRUE(std::isnan(error.value()));
    });
    EXPECT_LE(before, kBad);
    EXPECT_GT(before, kBad - 100'000);
  }
}

TEST_F(FileFaults, AValueBeyondABoundIsReportedAsItWasScaled) {
  change([&](RowFiles& files) {
    files.within = RowFiles::Within{0, 0.1 * (1'000'000 * kCols) + 0.05};
    files.ranges.emplace(std::vector<RowRanges::Range>{{10, 20}, {kRows - 10, kRows}});
  });
  rows_.storage = Storage::u32;  // The bits of 1.0 and above are some 10^9.
  rows_.scale = 0.1;
  FileRows<float> source(rows_);
  try {
    source.open(nullptr, 0, 20);
    FAIL();
  } catch (const BadValue& error) {
    EXPECT_EQ(error.row(), 10);
    EXPECT_EQ(error.column(), 0);
    std::uint32_t bits;
    std::memcpy(&bits, &values_[10 * kCols], 4);
    EXPECT_EQ(error.value(), bits * 0.1);
  }
}

TEST_F(FileFaults, IntegersOfATypeWithinTheBoundsAreNotLookedAt) {
  Rows rows = rows_;
  rows.storage = Storage::u8;
  EXPECT_FALSE(ValueCheck(rows, 0, 255).is_needed());
  EXPECT_TRUE(ValueCheck(rows, 0, 254).is_needed());
  rows.storage = Storage::f32;
  EXPECT_TRUE(ValueCheck(rows, -INFINITY, INFINITY).is_needed());
}

TEST_F(FileFaults, RaisingTheFlagEndsTheWaitForADiskThatHangs) {
  Hang hang;
  system_.before_read = [&](std::size_t bytes, std::uint64_t at) -> std::ptrdiff_t {
    if (at >= 100'000 * kRowBytes) hang.here();
    return static_cast<std::ptrdiff_t>(bytes);
  };
  StopFlag stop;
  {
    FileRows<float> source(rows_);
    source.until(&stop);
    source.open(nullptr, 0, 10);
    EXPECT_EQ(source.value(1, 0), kCols);
    std::thread raising([&] {
      hang.until_hanging();
      stop.abandon();
    });
    source.open(nullptr, 290'000, 10);
    raising.join();
    std::vector<float> rows(kCols, 1);
    source.read(nullptr, 290'000, {rows.data(), 1, kCols});
    EXPECT_EQ(rows, std::vector<float>(kCols, 0));
    source.look(295'000, 10);
  }
  // The source is gone, and its threads still hang.
  hang.let_go();
}

TEST_F(FileFaults, AFileThatHangsWhileItIsOpenedIsLeftAlone) {
  Hang hang;
  system_.before_open = [&] { hang.here(); };
  StopFlag stop;
  stop.abandon();
  {
    FileRows<float> source(rows_);
    source.until(&stop);
    source.open(nullptr, 0, 10);
    hang.until_hanging();
  }
  hang.let_go();
}

TEST(ManyFiles, AreReadWithFewOpenAtATime) {
  constexpr int kFiles = 300, kRowsEach = 7;
  TestFolder folder;
  FaultyFiles& system = lasting_faulty_files();
  const std::vector<float> values = random_vector<float>(std::size_t{kFiles} * kRowsEach * kCols, 0, 1, 1);
  Rows rows = in_files(folder, rows_of(values, kCols), std::vector<int>(kFiles, kRowsEach));
  for (const int most_files : {1 << 20, 5}) {
    rows = changed_files(rows, [&](RowFiles& files) { files.system = &system; });
    system.most_files = most_files;
    {
      FileRows<float> source(rows);
      std::vector<float> found(values.size());
      for (int i = 0; i < rows.count; i += 100) {
        source.open(nullptr, i, 100);
        source.read(nullptr, i, {found.data() + std::size_t(i) * kCols, 100, kCols});
      }
      EXPECT_TRUE(same_bits(values, found));
    }
    EXPECT_LE(system.most_open.load(), 32 + ReadAhead::kMostThreads);
    EXPECT_GE(system.opened.load(), kFiles);
    while (system.open_files.load() > 0) std::this_thread::yield();
  }
}

TEST(LargeFiles, AreReadBeyond4GiBAndBeyond2To32Numbers) {
  constexpr int kWide = 8, kMany = 600'000'000;
  const std::uint64_t offset = 128, bytes = std::uint64_t{kWide} * kMany;
  TestFolder folder;
  const std::string path = folder.path("large");
  const std::uint8_t last[kWide] = {1, 2, 3, 4, 5, 6, 7, 8};
  write_file(path, offset + bytes - kWide, last, kWide);
  Rows rows;
  rows.storage = Storage::u8;
  rows.count = rows.stored = kMany;
  rows.cols = kWide;
  auto files = std::make_shared<RowFiles>();
  files->segments.push_back({path, offset, kMany, identity_of(path)});
  rows.files = files;
  FileRows<float> source(rows);
  source.open(nullptr, kMany - 3, 3);
  for (int j = 0; j < kWide; j++) {
    EXPECT_EQ(source.value(kMany - 1, j), j + 1);
    EXPECT_EQ(source.value(kMany - 2, j), 0);
  }
  source.look(kMany - 1, 1);
  EXPECT_EQ(source.value(kMany - 1, 7), 8);
}

}  // namespace
}  // namespace layerwise

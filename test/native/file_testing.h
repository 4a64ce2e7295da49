#pragma once
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <vector>

#include "core_testing.h"
#include "rows/file_error.h"
#include "rows/row_files.h"

namespace layerwise {

// A directory that is removed with what is in it.
class TestFolder {
 public:
  TestFolder() {
    const char* base = std::getenv("TMPDIR");
    std::string pattern = std::string(base != nullptr ? base : "/tmp") + "/layerwise-rows-XXXXXX";
    if (mkdtemp(&pattern[0]) == nullptr) std::abort();
    path_ = pattern;
  }
  ~TestFolder() {
    for (const std::string& file : files_) unlink(file.c_str());
    rmdir(path_.c_str());
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  // The path of a file of this name, which is removed at the end.
  std::string path(const std::string& name) {
    const std::string file = path_ + "/" + name;
    files_.push_back(file);
    return file;
  }

 private:
  std::string path_;
  std::vector<std::string> files_;
};

inline void write_file(const std::string& path, std::uint64_t offset, const void* data, std::size_t bytes,
                       const char* mode = "wb") {
  std::FILE* file = std::fopen(path.c_str(), mode);
  ASSERT_NE(file, nullptr) << path;
  ASSERT_EQ(fseeko(file, static_cast<off_t>(offset), SEEK_SET), 0);
  ASSERT_EQ(std::fwrite(data, 1, bytes, file), bytes);
  ASSERT_EQ(std::fclose(file), 0);
}

inline FileIdentity identity_of(const std::string& path) {
  FileSystem::File file;
  FileIdentity identity;
  EXPECT_EQ(system_files().open(path, file), 0);
  EXPECT_EQ(system_files().identify(file, identity), 0);
  system_files().close(file);
  return identity;
}

// The rows of memory, written to a file for each of `cuts`: as many of the rows, after some bytes that are none. They come
// without `order`, which an order of ranges takes the place of.
inline Rows in_files(TestFolder& folder, const Rows& rows, const std::vector<int>& cuts, const std::string& name = "rows") {
  auto files = std::make_shared<RowFiles>();
  const std::size_t row_bytes = rows.cols * traits_of(rows.storage).bytes;
  const char* data = static_cast<const char*>(rows.data);
  int stored = 0;
  for (std::size_t i = 0; i < cuts.size(); i++) {
    const std::string path = folder.path(name + std::to_string(i));
    const std::uint64_t offset = 7 * i;
    write_file(path, offset, data, cuts[i] * row_bytes);
    files->segments.push_back({path, offset, static_cast<std::uint32_t>(cuts[i]), identity_of(path)});
    data += cuts[i] * row_bytes;
    stored += cuts[i];
  }
  Rows result = rows;
  result.data = nullptr;
  result.order = nullptr;
  result.count = result.stored = stored;
  result.files = files;
  return result;
}

// The same rows with other files.
template <typename Change>
Rows changed_files(const Rows& rows, const Change& change) {
  auto files = std::make_shared<RowFiles>(*rows.files);
  change(*files);
  Rows result = rows;
  result.files = files;
  if (files->ranges) result.count = static_cast<int>(files->ranges->count());
  return result;
}

}  // namespace layerwise

#pragma once
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "rows/row_files.h"

namespace layerwise {

// Reads rows of files by their number in the data. Few files are open at a time, and one that is opened again must still be the
// same file. Any thread.
class SegmentReader {
 public:
  // forgetful: the system need not keep in memory what was read.
  SegmentReader(const std::vector<RowFiles::Segment>& segments, std::size_t row_bytes, FileSystem& system, bool forgetful);
  ~SegmentReader();
  SegmentReader(const SegmentReader&) = delete;
  SegmentReader& operator=(const SegmentReader&) = delete;

  // out [count, row_bytes] = rows first … first+count-1. Throws FileError.
  void read(std::uint32_t first, std::uint32_t count, char* out, FileSystem::Access access);

  std::size_t row_bytes() const { return row_bytes_; }
  const std::string& path_of(std::uint32_t row) const { return segments_[segment_of(row)].path; }

 private:
  struct OpenFile {
    std::size_t segment;
    FileSystem::File file;
    FileSystem::Access access;
    int readers;
    std::uint64_t used;  // when, counted
  };
  class Lease;

  std::size_t segment_of(std::uint32_t row) const;
  void read_segment(std::size_t segment, std::uint64_t offset, std::size_t bytes, char* out, FileSystem::Access access,
                    std::uint32_t row);
  FileSystem::File take(std::size_t segment, FileSystem::Access access, std::uint32_t row);
  void give_back(FileSystem::File file);
  int open(std::size_t segment, FileSystem::File& file);
  bool close_one();
  void check(std::size_t segment, FileSystem::File file, std::uint32_t row);

  const std::vector<RowFiles::Segment> segments_;
  std::vector<std::uint32_t> begins_;  // [segments + 1] the first row of each
  const std::size_t row_bytes_;
  FileSystem& system_;
  const bool forgetful_;

  std::mutex mutex_;
  std::vector<OpenFile> open_;
  std::uint64_t uses_ = 0;
};

}  // namespace layerwise

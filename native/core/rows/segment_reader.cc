#include "rows/segment_reader.h"

#include <algorithm>
#include <cerrno>

#include "rows/file_error.h"

namespace layerwise {
namespace {

// Files that are open at a time, but for those that are being read.
constexpr std::size_t kOpenFiles = 32;

// Bytes of one system call: a longer read returns no sooner, and no other thread may take part of it.
constexpr std::size_t kMostBytes = std::size_t{1} << 20;

constexpr const char* kChanged = "changed while it was read";

}  // namespace

// A file that stays open while it is read.
class SegmentReader::Lease {
 public:
  Lease(SegmentReader& reader, FileSystem::File file) : reader_(reader), file_(file) {}
  ~Lease() { reader_.give_back(file_); }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;

 private:
  SegmentReader& reader_;
  FileSystem::File file_;
};

SegmentReader::SegmentReader(const std::vector<RowFiles::Segment>& segments, std::size_t row_bytes, FileSystem& system,
                             bool forgetful)
    : segments_(segments), row_bytes_(row_bytes), system_(system), forgetful_(forgetful) {
  std::uint32_t begin = 0;
  for (const RowFiles::Segment& segment : segments_) {
    begins_.push_back(begin);
    begin += segment.rows;
  }
  begins_.push_back(begin);
}

SegmentReader::~SegmentReader() {
  for (const OpenFile& open : open_) system_.close(open.file);
}

std::size_t SegmentReader::segment_of(std::uint32_t row) const {
  return static_cast<std::size_t>(std::upper_bound(begins_.begin(), begins_.end(), row) - begins_.begin()) - 1;
}

void SegmentReader::read(std::uint32_t first, std::uint32_t count, char* out, FileSystem::Access access) {
  std::size_t segment = segment_of(first);
  for (const std::uint32_t end = first + count; first < end; segment++) {
    const std::uint32_t rows = std::min(end, begins_[segment + 1]) - first;
    const std::uint64_t offset = segments_[segment].offset + std::uint64_t{first - begins_[segment]} * row_bytes_;
    read_segment(segment, offset, rows * row_bytes_, out, access, first);
    first += rows;
    out += rows * row_bytes_;
  }
}

void SegmentReader::read_segment(std::size_t segment, std::uint64_t offset, std::size_t bytes, char* out,
                                 FileSystem::Access access, std::uint32_t row) {
  if (bytes == 0) return;
  const std::string& path = segments_[segment].path;
  const FileSystem::File file = take(segment, access, row);
  const Lease lease(*this, file);
  for (std::size_t done = 0; done < bytes;) {
    const std::ptrdiff_t count = system_.read(file, out + done, std::min(bytes - done, kMostBytes), offset + done);
    if (count == -EINTR) continue;
    const auto at = static_cast<std::uint32_t>(row + done / row_bytes_);
    if (count < 0) {
      throw FileError(path, "cannot be read at byte " + std::to_string(offset + done), at, static_cast<int>(-count));
    }
    if (count == 0) {
      const std::string missing = std::to_string(offset + bytes), end = std::to_string(offset + done);
      throw FileError(path, "ends at byte " + end + ", expected at least " + missing, at);
    }
    done += static_cast<std::size_t>(count);
  }
  check(segment, file, row);
  if (forgetful_) system_.forget(file, offset, bytes);
}

void SegmentReader::check(std::size_t segment, FileSystem::File file, std::uint32_t row) {
  const RowFiles::Segment& expected = segments_[segment];
  FileIdentity found;
  if (const int error = system_.identify(file, found)) throw FileError(expected.path, "cannot be read", row, error);
  if (!expected.identity.matches(found)) throw FileError(expected.path, kChanged, row);
}

FileSystem::File SegmentReader::take(std::size_t segment, FileSystem::Access access, std::uint32_t row) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    for (OpenFile& open : open_) {
      if (open.segment != segment) continue;
      open.readers++;
      open.used = ++uses_;
      if (open.access != access) system_.expect(open.file, access);
      open.access = access;
      return open.file;
    }
    while (open_.size() >= kOpenFiles && close_one()) {
    }
  }
  // Others are not kept waiting while a slow disk opens it.
  FileSystem::File file = 0;
  if (const int error = open(segment, file)) throw FileError(segments_[segment].path, "cannot be opened", row, error);
  try {
    check(segment, file, row);
  } catch (...) {
    system_.close(file);
    throw;
  }
  system_.expect(file, access);
  const std::lock_guard<std::mutex> lock(mutex_);
  open_.push_back({segment, file, access, 1, ++uses_});
  return file;
}

// Where the process may open no more, files that are not being read are closed for it.
int SegmentReader::open(std::size_t segment, FileSystem::File& file) {
  for (;;) {
    const int error = system_.open(segments_[segment].path, file);
    if (error == EINTR) continue;
    if (error != EMFILE && error != ENFILE) return error;
    const std::lock_guard<std::mutex> lock(mutex_);
    if (!close_one()) return error;
  }
}

// The one that was not used for the longest time. False: all are being read.
bool SegmentReader::close_one() {
  auto oldest = open_.end();
  for (auto open = open_.begin(); open != open_.end(); ++open) {
    if (open->readers == 0 && (oldest == open_.end() || open->used < oldest->used)) oldest = open;
  }
  if (oldest == open_.end()) return false;
  system_.close(oldest->file);
  open_.erase(oldest);
  return true;
}

void SegmentReader::give_back(FileSystem::File file) {
  const std::lock_guard<std::mutex> lock(mutex_);
  for (OpenFile& open : open_) {
    if (open.file == file) open.readers--;
  }
}

}  // namespace layerwise

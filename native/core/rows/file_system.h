#pragma once
#include <cstddef>
#include <cstdint>
#include <string>

namespace layerwise {

// What tells whether a file is still the one that was opened, and unchanged.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0, size = 0;
  std::int64_t modified = 0;  // nanoseconds since 1970

  // Whether a file that was found is this one. Of times that are whole milliseconds, as Deno tells them, no more is compared.
  bool matches(const FileIdentity& found) const {
    constexpr std::int64_t kMillisecond = 1'000'000;
    const std::int64_t rest = modified % kMillisecond == 0 ? found.modified % kMillisecond : 0;
    return device == found.device && inode == found.inode && size == found.size && modified == found.modified - rest;
  }
};

// The system calls by which files are read, so that tests can put faults in their place. Any thread. Errors are those of errno.
class FileSystem {
 public:
  using File = std::intptr_t;
  enum class Access { in_order, anywhere };

  virtual ~FileSystem() = default;

  // For reading; programs that this process starts do not inherit it. Returns 0 or an error.
  virtual int open(const std::string& path, File& file) = 0;
  virtual int identify(File file, FileIdentity& identity) = 0;
  // How many bytes were read, fewer than asked or 0 at the end; or -error.
  virtual std::ptrdiff_t read(File file, void* out, std::size_t bytes, std::uint64_t offset) = 0;
  virtual void close(File file) = 0;

  // Hints: how the file will be read, and that the system need not keep what was read in memory.
  virtual void expect(File file, Access access) = 0;
  virtual void forget(File file, std::uint64_t offset, std::uint64_t bytes) = 0;
};

// That of the machine. It lives as long as the process.
FileSystem& system_files();

}  // namespace layerwise

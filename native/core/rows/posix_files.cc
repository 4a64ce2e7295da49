// Reading files on Linux and macOS.
#if !defined(_WIN32)
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>

#include "rows/file_system.h"

namespace layerwise {
namespace {

class PosixFiles final : public FileSystem {
 public:
  int open(const std::string& path, File& file) override {
    const int opened = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (opened < 0) return errno;
    file = opened;
    return 0;
  }

  int identify(File file, FileIdentity& identity) override {
    struct stat status;
    if (::fstat(static_cast<int>(file), &status) != 0) return errno;
#if defined(__APPLE__)
    const timespec& modified = status.st_mtimespec;
#else
    const timespec& modified = status.st_mtim;
#endif
    identity.device = static_cast<std::uint64_t>(status.st_dev);
    identity.inode = static_cast<std::uint64_t>(status.st_ino);
    identity.size = static_cast<std::uint64_t>(status.st_size);
    identity.modified = std::int64_t{modified.tv_sec} * 1'000'000'000 + modified.tv_nsec;
    return 0;
  }

  std::ptrdiff_t read(File file, void* out, std::size_t bytes, std::uint64_t offset) override {
    const ssize_t count = ::pread(static_cast<int>(file), out, bytes, static_cast<off_t>(offset));
    return count < 0 ? -static_cast<std::ptrdiff_t>(errno) : static_cast<std::ptrdiff_t>(count);
  }

  void close(File file) override { ::close(static_cast<int>(file)); }

  void expect(File file, Access access) override {
#if defined(__APPLE__)
    ::fcntl(static_cast<int>(file), F_RDAHEAD, access == Access::in_order ? 1 : 0);
#else
    const int advice = access == Access::in_order ? POSIX_FADV_SEQUENTIAL : POSIX_FADV_RANDOM;
    (void)::posix_fadvise(static_cast<int>(file), 0, 0, advice);
#endif
  }

  void forget([[maybe_unused]] File file, [[maybe_unused]] std::uint64_t offset, [[maybe_unused]] std::uint64_t bytes) override {
#if !defined(__APPLE__)
    // Whole pages alone are forgotten: the one that the last read ended in is the first of this one.
    constexpr std::uint64_t kPage = 4096;
    const std::uint64_t begin = offset / kPage * kPage;
    (void)::posix_fadvise(static_cast<int>(file), static_cast<off_t>(begin), static_cast<off_t>(offset + bytes - begin),
                          POSIX_FADV_DONTNEED);
#endif
  }
};

}  // namespace

FileSystem& system_files() {
  // Never destroyed: a thread that hangs in a read may use it while the process ends.
  static FileSystem& once = *new PosixFiles();
  return once;
}

}  // namespace layerwise
#endif

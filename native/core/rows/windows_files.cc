// Reading files on Windows.
#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>

#include <algorithm>
#include <cerrno>

#include "rows/file_system.h"

namespace layerwise {
namespace {

int errno_of(DWORD error) {
  switch (error) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
      return ENOENT;
    case ERROR_ACCESS_DENIED:
    case ERROR_SHARING_VIOLATION:
      return EACCES;
    case ERROR_TOO_MANY_OPEN_FILES:
      return EMFILE;
    case ERROR_NOT_ENOUGH_MEMORY:
    case ERROR_OUTOFMEMORY:
      return ENOMEM;
    default:
      return EIO;
  }
}

std::wstring wide(const std::string& path) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), nullptr, 0);
  std::wstring result(static_cast<std::size_t>(std::max(length, 0)), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), &result[0], length);
  return result;
}

// One for each thread that reads: what an overlapped read signals.
class Event {
 public:
  Event() : handle_(CreateEventW(nullptr, TRUE, FALSE, nullptr)) {}
  ~Event() {
    if (handle_ != nullptr) CloseHandle(handle_);
  }
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;
  HANDLE handle() const { return handle_; }

 private:
  HANDLE handle_;
};

// Files are opened for overlapped reads: without, the system lets one read of a handle wait for the other.
class WindowsFiles final : public FileSystem {
 public:
  int open(const std::string& path, File& file) override {
    // A file may be renamed over, deleted and written while it is open, as on other systems.
    constexpr DWORD kShared = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;
    const HANDLE opened =
        CreateFileW(wide(path).c_str(), GENERIC_READ, kShared, nullptr, OPEN_EXISTING, FILE_FLAG_OVERLAPPED, nullptr);
    if (opened == INVALID_HANDLE_VALUE) return errno_of(GetLastError());
    file = reinterpret_cast<File>(opened);
    return 0;
  }

  int identify(File file, FileIdentity& identity) override {
    BY_HANDLE_FILE_INFORMATION found;
    if (!GetFileInformationByHandle(reinterpret_cast<HANDLE>(file), &found)) return errno_of(GetLastError());
    const auto joined = [](DWORD high, DWORD low) { return std::uint64_t{high} << 32 | low; };
    constexpr std::int64_t kTicksTo1970 = 116'444'736'000'000'000, kNanoseconds = 100;
    const auto ticks =
        static_cast<std::int64_t>(joined(found.ftLastWriteTime.dwHighDateTime, found.ftLastWriteTime.dwLowDateTime));
    identity.device = found.dwVolumeSerialNumber;
    identity.inode = joined(found.nFileIndexHigh, found.nFileIndexLow);
    identity.size = joined(found.nFileSizeHigh, found.nFileSizeLow);
    identity.modified = (ticks - kTicksTo1970) * kNanoseconds;
    return 0;
  }

  std::ptrdiff_t read(File file, void* out, std::size_t bytes, std::uint64_t offset) override {
    thread_local const Event event;
    if (event.handle() == nullptr) return -ENOMEM;
    OVERLAPPED place{};
    place.Offset = static_cast<DWORD>(offset);
    place.OffsetHigh = static_cast<DWORD>(offset >> 32);
    place.hEvent = event.handle();
    const HANDLE handle = reinterpret_cast<HANDLE>(file);
    const auto most = static_cast<DWORD>(std::min<std::size_t>(bytes, std::size_t{1} << 30));
    DWORD count = 0;
    if (!ReadFile(handle, out, most, nullptr, &place)) {
      const DWORD error = GetLastError();
      if (error == ERROR_HANDLE_EOF) return 0;
      if (error != ERROR_IO_PENDING) return -static_cast<std::ptrdiff_t>(errno_of(error));
    }
    if (!GetOverlappedResult(handle, &place, &count, TRUE)) {
      const DWORD error = GetLastError();
      return error == ERROR_HANDLE_EOF ? 0 : -static_cast<std::ptrdiff_t>(errno_of(error));
    }
    return static_cast<std::ptrdiff_t>(count);
  }

  void close(File file) override { CloseHandle(reinterpret_cast<HANDLE>(file)); }

  // The system has no such hints for an open file.
  void expect(File, Access) override {}
  void forget(File, std::uint64_t, std::uint64_t) override {}
};

}  // namespace

FileSystem& system_files() {
  // Never destroyed: a thread that hangs in a read may use it while the process ends.
  static FileSystem& once = *new WindowsFiles();
  return once;
}

}  // namespace layerwise
#endif

#include "base/file_lock.h"

#include <system_error>
#include <utility>

#if defined(_WIN32)
#include <windows.h>
#else
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#endif

namespace layerwise {

#if defined(_WIN32)

namespace {

std::wstring wide(const std::string& path) {
  const int length = MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), nullptr, 0);
  std::wstring text(static_cast<std::size_t>(length), L'\0');
  MultiByteToWideChar(CP_UTF8, 0, path.data(), static_cast<int>(path.size()), text.data(), length);
  return text;
}

}  // namespace

// A file that is opened without sharing is a lock, and the system removes it with its handle.
std::unique_ptr<FileLock> FileLock::take(const std::string& path) {
  const HANDLE handle = CreateFileW(wide(path).c_str(), GENERIC_READ | GENERIC_WRITE, 0, nullptr, OPEN_ALWAYS,
                                    FILE_ATTRIBUTE_NORMAL | FILE_FLAG_DELETE_ON_CLOSE, nullptr);
  if (handle != INVALID_HANDLE_VALUE) return std::unique_ptr<FileLock>(new FileLock(path, handle));
  const DWORD error = GetLastError();
  if (error == ERROR_SHARING_VIOLATION) return nullptr;
  throw std::system_error(static_cast<int>(error), std::system_category(), "the folder cannot be locked");
}

void FileLock::release() {
  if (std::exchange(held_, false)) CloseHandle(handle_);
}

FileLock::~FileLock() { release(); }

#else

namespace {

// Whether the path still leads to this file, and not to none or another.
bool is_at(const std::string& path, int file) {
  struct stat open_file, named;
  return fstat(file, &open_file) == 0 && stat(path.c_str(), &named) == 0 && open_file.st_dev == named.st_dev &&
         open_file.st_ino == named.st_ino;
}

}  // namespace

// flock belongs to the descriptor, not to the process: two descriptors of one process exclude each other.
std::unique_ptr<FileLock> FileLock::take(const std::string& path) {
  for (;;) {
    const int file = open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0) {
      if (errno == EINTR) continue;
      throw std::system_error(errno, std::generic_category(), "the folder cannot be locked");
    }
    int failed;
    do failed = flock(file, LOCK_EX | LOCK_NB);
    while (failed != 0 && errno == EINTR);
    const int why = errno;
    // Who held it before may have removed it after it was opened here: then it locks nothing.
    if (failed == 0 && is_at(path, file)) return std::unique_ptr<FileLock>(new FileLock(path, file));
    close(file);
    if (failed == 0) continue;
    if (why == EWOULDBLOCK) return nullptr;
    throw std::system_error(why, std::generic_category(), "the folder cannot be locked");
  }
}

void FileLock::release() {
  if (!std::exchange(held_, false)) return;
  unlink(path_.c_str());
  close(handle_);
}

// Only the lock ends: a thread that ends early leaves the file for the next holder.
FileLock::~FileLock() {
  if (held_) close(handle_);
}

#endif

}  // namespace layerwise

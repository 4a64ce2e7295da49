#pragma once
#include <memory>
#include <string>

namespace layerwise {

// A lock of the kernel's on a file that serves only as a lock. It ends with the process, however that ends; it also excludes
// other locks of this process; no child process inherits it. The file is removed when the lock ends in good order.
class FileLock {
 public:
  // Creates the file if necessary. Null if another lock holds it. Throws std::system_error.
  static std::unique_ptr<FileLock> take(const std::string& path);

  ~FileLock();
  FileLock(const FileLock&) = delete;
  FileLock& operator=(const FileLock&) = delete;

  // Removes the file and ends the lock; once.
  void release();

 private:
#if defined(_WIN32)
  using Handle = void*;
#else
  using Handle = int;
#endif
  FileLock(std::string path, Handle handle) : path_(std::move(path)), handle_(handle) {}

  std::string path_;
  Handle handle_;
  bool held_ = true;
};

}  // namespace layerwise

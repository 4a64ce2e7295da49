#include "rows/file_error.h"

#include <cerrno>
#include <cstring>

namespace layerwise {
namespace {

const char* name_of(int error) {
  switch (error) {
    case 0:
      return nullptr;
#define LAYERWISE_ERROR(name) \
  case name:                  \
    return #name
      LAYERWISE_ERROR(EACCES);
      LAYERWISE_ERROR(EBADF);
      LAYERWISE_ERROR(EINVAL);
      LAYERWISE_ERROR(EISDIR);
      LAYERWISE_ERROR(ELOOP);
      LAYERWISE_ERROR(EMFILE);
      LAYERWISE_ERROR(ENAMETOOLONG);
      LAYERWISE_ERROR(ENFILE);
      LAYERWISE_ERROR(ENODEV);
      LAYERWISE_ERROR(ENOENT);
      LAYERWISE_ERROR(ENOMEM);
      LAYERWISE_ERROR(ENOTDIR);
      LAYERWISE_ERROR(ENXIO);
      LAYERWISE_ERROR(EPERM);
      LAYERWISE_ERROR(ETIMEDOUT);
#if defined(ESTALE)
      LAYERWISE_ERROR(ESTALE);
#endif
#undef LAYERWISE_ERROR
    default:
      return "EIO";
  }
}

std::string message_of(const std::string& file, const std::string& fault, long long row, int error) {
  std::string message = file + ": " + fault;
  if (row >= 0) message += ", at row " + std::to_string(row);
  if (error != 0) message += std::string(": ") + name_of(error) + ", " + std::strerror(error);
  return message;
}

}  // namespace

FileError::FileError(const std::string& file, const std::string& fault, long long row, int error)
    : std::runtime_error(message_of(file, fault, row, error)), file_(file), row_(row), error_name_(name_of(error)) {}

BadValue::BadValue(const std::string& file, long long row, int column, double value)
    : std::runtime_error(file + ": row " + std::to_string(row) + ", column " + std::to_string(column) +
                         ": a value that is not allowed, " + std::to_string(value)),
      file_(file),
      row_(row),
      column_(column),
      value_(value) {}

}  // namespace layerwise

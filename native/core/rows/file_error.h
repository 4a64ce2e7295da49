#pragma once
#include <stdexcept>
#include <string>

namespace layerwise {

// A file of rows that could not be read, or is not the one that was opened.
class FileError : public std::runtime_error {
 public:
  // row: the first row of the data that is missing; -1: none. error: errno of the system call; 0: none failed.
  FileError(const std::string& file, const std::string& fault, long long row = -1, int error = 0);

  const std::string& file() const { return file_; }
  long long row() const { return row_; }
  // As "EIO"; null where no system call failed.
  const char* error_name() const { return error_name_; }

 private:
  std::string file_;
  long long row_;
  const char* error_name_;
};

// A value of a file that lies outside of what its reader was asked to look for.
class BadValue : public std::runtime_error {
 public:
  BadValue(const std::string& file, long long row, int column, double value);

  const std::string& file() const { return file_; }
  long long row() const { return row_; }  // of the data
  int column() const { return column_; }
  double value() const { return value_; }  // scaled, in float64

 private:
  std::string file_;
  long long row_;
  int column_;
  double value_;
};

}  // namespace layerwise

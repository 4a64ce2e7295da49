#pragma once
// OpenBLAS as a file beside the addon, opened by ourselves. Were it linked, its constructor would run before any code of ours and
// start a worker for each processor, which spin; it has no means to end them, and reads no setting but the process's environment.
#include <cstdlib>
#include <cstring>
#include <optional>
#include <string>
#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include "blas.h"

namespace layerwise::blas_file {

#if defined(_WIN32)

using Handle = HMODULE;

// The file of this name in the folder of the one that holds this code; null if it cannot be opened.
inline Handle open_beside(const char* name) {
  HMODULE own = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_UNCHANGED_REFCOUNT,
                     reinterpret_cast<LPCWSTR>(&open_beside), &own);
  std::wstring path(1 << 15, L'\0');  // as long as paths can be
  path.resize(GetModuleFileNameW(own, path.data(), static_cast<DWORD>(path.size())));
  path.erase(path.find_last_of(L'\\') + 1).append(name, name + std::strlen(name));
  return LoadLibraryExW(path.c_str(), nullptr, LOAD_WITH_ALTERED_SEARCH_PATH);
}

inline void* find(Handle file, const char* name) { return reinterpret_cast<void*>(GetProcAddress(file, name)); }
inline std::string reason() { return "Windows error " + std::to_string(GetLastError()); }
// The process's own, which Node writes too; the C library's copy may be older.
inline std::optional<std::string> environment(const char* name) {
  const DWORD size = GetEnvironmentVariableA(name, nullptr, 0);
  if (size == 0) return std::nullopt;
  std::string value(size, '\0');
  value.resize(GetEnvironmentVariableA(name, value.data(), size));
  return value;
}
inline void set_environment(const char* name, const char* value) { SetEnvironmentVariableA(name, value); }

#else

using Handle = void*;

// The file of this name in the folder of the one that holds this code; null if it cannot be opened.
inline Handle open_beside(const char* name) {
  Dl_info own{};
  if (dladdr(reinterpret_cast<const void*>(&open_beside), &own) == 0) return nullptr;
  const std::string path = own.dli_fname;
  return dlopen((path.substr(0, path.find_last_of('/') + 1) + name).c_str(), RTLD_NOW | RTLD_LOCAL);
}

inline void* find(Handle file, const char* name) { return dlsym(file, name); }
inline std::string reason() {
  const char* why = dlerror();
  return why == nullptr ? "the addon's own place is unknown" : why;
}

inline std::optional<std::string> environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? std::nullopt : std::optional<std::string>(value);
}
inline void set_environment(const char* name, const char* value) {
  if (value == nullptr) {
    unsetenv(name);
  } else {
    setenv(name, value, 1);
  }
}

#endif

// Opens the file with OpenBLAS told to start no workers. In a worker thread of Node's, `process.env` could not: it is a copy. The
// setting is put back at once, since child processes inherit it.
inline Handle open_without_workers(const char* file_name) {
  constexpr const char* setting = "OPENBLAS_NUM_THREADS";
  const std::optional<std::string> before = environment(setting);
  set_environment(setting, "1");
  const Handle file = open_beside(file_name);
  const std::string why = file == nullptr ? reason() : "";
  set_environment(setting, before ? before->c_str() : nullptr);
  if (file == nullptr) throw BlasError(std::string("cannot open the library beside the addon, ") + file_name + ": " + why);
  return file;
}

// A function of the file, which is opened at the first call and never closed.
inline void* function(const char* file_name, const char* name) {
  static const Handle file = open_without_workers(file_name);
  void* found = find(file, name);
  if (found == nullptr) throw BlasError(std::string(file_name) + " has no " + name);
  return found;
}

}  // namespace layerwise::blas_file

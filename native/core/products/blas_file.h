#pragma once
// OpenBLAS as a file beside the addon, opened by ourselves. Were it linked, its constructor would run before any code of ours and
// start a worker for each processor, which spin; it has no means to end them, and reads no setting but the process's environment.
#include <cstring>
#include <optional>
#include <string>
#if defined(_WIN32)
#include <windows.h>
#else
#include <dlfcn.h>
#endif

#include "base/environment.h"
#include "products/blas.h"

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
inline void close(Handle file) { FreeLibrary(file); }

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

inline void close(Handle file) { dlclose(file); }

#endif

// Opens the file with OpenBLAS told to start no workers, and, unless `kernel` is empty, which kernel to take. An OpenBLAS opened
// before is closed first: it reads its settings only while it is loaded. (Where the C library never unloads a file, as musl, it
// keeps its kernel.)
inline Handle open_anew(Handle before, const char* file_name, const std::string& kernel) {
  if (before != nullptr) close(before);
  const SettingFor threads("OPENBLAS_NUM_THREADS", "1");
  std::optional<SettingFor> core_type;
  if (!kernel.empty()) core_type.emplace("OPENBLAS_CORETYPE", kernel.c_str());
  const Handle file = open_beside(file_name);
  if (file == nullptr) throw BlasError(std::string("cannot open the library beside the addon, ") + file_name + ": " + reason());
  return file;
}

// A function of the file.
inline void* function(Handle file, const char* file_name, const char* name) {
  void* found = find(file, name);
  if (found == nullptr) throw BlasError(std::string(file_name) + " has no " + name);
  return found;
}

}  // namespace layerwise::blas_file

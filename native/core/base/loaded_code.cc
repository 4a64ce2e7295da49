#include "base/loaded_code.h"

#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#else
#include <dlfcn.h>
#endif

namespace layerwise {

void keep_code_loaded() {
#if defined(_WIN32)
  HMODULE module = nullptr;
  GetModuleHandleExW(GET_MODULE_HANDLE_EX_FLAG_FROM_ADDRESS | GET_MODULE_HANDLE_EX_FLAG_PIN,
                     reinterpret_cast<LPCWSTR>(&keep_code_loaded), &module);
#else
  Dl_info info;
  if (dladdr(reinterpret_cast<void*>(&keep_code_loaded), &info) == 0 || info.dli_fname == nullptr) return;
  // Never closed.
  (void)dlopen(info.dli_fname, RTLD_LAZY | RTLD_NOLOAD | RTLD_NODELETE);
#endif
}

}  // namespace layerwise

#pragma once
#include <cstdlib>
#include <optional>
#include <string>
#if defined(_WIN32)
#include <windows.h>
#endif

namespace layerwise {

#if defined(_WIN32)

// The process environment, which Node writes too; the C library's copy may be outdated.
inline std::optional<std::string> environment(const char* name) {
  const DWORD size = GetEnvironmentVariableA(name, nullptr, 0);
  if (size == 0) return std::nullopt;
  std::string value(size, '\0');
  value.resize(GetEnvironmentVariableA(name, value.data(), size));
  return value;
}
inline void set_environment(const char* name, const char* value) { SetEnvironmentVariableA(name, value); }

#else

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

// Sets a variable of the process environment during its lifetime and then restores it, since child processes inherit it. In a
// worker thread of Node, `process.env` cannot do this: it is a copy there.
class SettingFor {
 public:
  SettingFor(const char* name, const char* value) : name_(name), before_(environment(name)) { set_environment(name, value); }
  ~SettingFor() { set_environment(name_, before_ ? before_->c_str() : nullptr); }
  SettingFor(const SettingFor&) = delete;
  SettingFor& operator=(const SettingFor&) = delete;

 private:
  const char* name_;
  std::optional<std::string> before_;
};

}  // namespace layerwise

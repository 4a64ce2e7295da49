#include "base/memory_limit.h"

#if defined(_WIN32)
#ifndef NOMINMAX
#define NOMINMAX
#endif
#include <windows.h>
#else
#include <unistd.h>
#endif

#include <algorithm>
#include <fstream>
#include <string>

namespace layerwise {
namespace {

std::uint64_t physical_memory() {
#if defined(_WIN32)
  MEMORYSTATUSEX status;
  status.dwLength = sizeof(status);
  return GlobalMemoryStatusEx(&status) ? status.ullTotalPhys : 0;
#else
  const long pages = sysconf(_SC_PHYS_PAGES), bytes = sysconf(_SC_PAGESIZE);
  return pages > 0 && bytes > 0 ? static_cast<std::uint64_t>(pages) * static_cast<std::uint64_t>(bytes) : 0;
#endif
}

// Lowers `limit` to the number in this file, if there is one.
void lower_to(const std::string& path, std::uint64_t& limit) {
  std::ifstream file(path);
  std::uint64_t bytes = 0;
  if (file >> bytes && bytes > 0) limit = limit == 0 ? bytes : std::min(limit, bytes);
}

// Lowers `limit` to those of the group and of all that contain it.
void lower_to_groups(const std::string& root, std::string group, const char* name, std::uint64_t& limit) {
  for (;;) {
    lower_to(root + group + "/" + name, limit);
    if (group.empty() || group == "/") return;
    group.erase(group.find_last_of('/'));
  }
}

}  // namespace

std::uint64_t memory_limit() {
  std::uint64_t limit = physical_memory();
  // A line is "0::/group" (version 2), or "5:memory:/group" (version 1).
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (second == std::string::npos) continue;
    const std::string controllers = "," + line.substr(first + 1, second - first - 1) + ",", group = line.substr(second + 1);
    if (controllers == ",,") lower_to_groups("/sys/fs/cgroup", group, "memory.max", limit);
    if (controllers.find(",memory,") == std::string::npos) continue;
    lower_to_groups("/sys/fs/cgroup/memory", group, "memory.limit_in_bytes", limit);
  }
  return limit;
}

}  // namespace layerwise

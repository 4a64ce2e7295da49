#include "base/niceness.h"

#include <algorithm>
#include <cerrno>

#if defined(__linux__)
#include <sys/resource.h>
#include <unistd.h>
#endif

namespace layerwise {

#if defined(__linux__)

// On Linux niceness belongs to a thread: a process id means its main thread, 0 for the calling one.
int nicer_than_process(int by) {
  errno = 0;
  const int process = getpriority(PRIO_PROCESS, static_cast<id_t>(getpid()));
  return std::min(19, (errno == 0 ? process : 0) + by);
}

void set_niceness(int nice) { setpriority(PRIO_PROCESS, 0, nice); }

#else

int nicer_than_process(int) { return 0; }
void set_niceness(int) {}

#endif

}  // namespace layerwise

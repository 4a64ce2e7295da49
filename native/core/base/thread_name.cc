#include "base/thread_name.h"

#if !defined(_WIN32)
#include <pthread.h>
#endif

namespace layerwise {

void name_this_thread(const char* name) {
#if defined(_WIN32)
  (void)name;
#elif defined(__APPLE__)
  (void)pthread_setname_np(name);
#else
  (void)pthread_setname_np(pthread_self(), name);
#endif
}

}  // namespace layerwise

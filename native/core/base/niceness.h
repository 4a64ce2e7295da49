#pragma once

namespace layerwise {

// Niceness of threads with a lower priority than the rest of the process: the main thread's current value plus `by`, at most 19.
// 0 where threads have no niceness of their own (all systems but Linux).
int nicer_than_process(int by);

// Sets the calling thread's niceness, as far as the system allows: without CAP_SYS_NICE a thread can become nicer, never less
// nice.
void set_niceness(int nice);

}  // namespace layerwise

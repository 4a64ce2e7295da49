#pragma once

namespace layerwise {

// How nice threads are that shall give way to the rest of the process: so much nicer than its main thread is now, at most 19.
// 0 where threads have no niceness of their own (all systems but Linux).
int nicer_than_process(int by);

// The calling thread's, as far as the system allows: without CAP_SYS_NICE a thread can become nicer, never less nice.
void set_niceness(int nice);

}  // namespace layerwise

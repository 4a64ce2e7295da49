#pragma once

namespace layerwise {

// What tools of the system show for this thread: at most 15 characters. Nothing on Windows.
void name_this_thread(const char* name);

}  // namespace layerwise

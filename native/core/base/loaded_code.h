#pragma once

namespace layerwise {

// The library that contains this code stays loaded until the process ends, whoever unloads it: a thread will return into it.
void keep_code_loaded();

}  // namespace layerwise

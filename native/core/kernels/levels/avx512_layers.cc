#if defined(__x86_64__)
#include "kernels/levels/avx512.h"
#include "kernels/levels/layers_table.h"
#endif

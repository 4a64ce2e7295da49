#if defined(__x86_64__)
#include "kernels/levels/avx2.h"
#include "kernels/levels/groups_table.h"
#endif

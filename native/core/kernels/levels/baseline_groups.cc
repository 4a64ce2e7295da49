#include "kernels/levels/baseline.h"
#include "kernels/levels/groups_table.h"

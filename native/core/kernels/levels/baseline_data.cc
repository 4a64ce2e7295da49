#include "kernels/levels/baseline.h"
#include "kernels/levels/data_table.h"

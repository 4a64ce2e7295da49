#include "kernels/levels/baseline.h"
#include "kernels/levels/layers_table.h"

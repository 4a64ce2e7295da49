#include "kernels/levels/baseline.h"
#include "kernels/levels/products_table.h"

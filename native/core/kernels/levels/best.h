#pragma once
#include "kernels/vector_kernels.h"

namespace layerwise {

// The best level this processor has, whatever LAYERWISE_VECTORS names.
VectorLevel best_vector_level();

}  // namespace layerwise

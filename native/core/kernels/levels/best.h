#pragma once
#include "kernels/vector_kernels.h"

namespace layerwise {

// The best level of this processor, independent of LAYERWISE_VECTORS.
VectorLevel best_vector_level();

}  // namespace layerwise

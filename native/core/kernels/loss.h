#pragma once

namespace layerwise {

// Loss of a reconstruction y of x, a mean over the m rows:
//   squared 1/2 |y-x|^2   euclidean |y-x|   absolute sum |y-x|   cross_entropy sum -x ln y - (1-x) ln(1-y), sigmoid outputs only
//   log_loss -ln y[label], softmax outputs only
enum class Loss { squared, euclidean, absolute, cross_entropy, log_loss };

}  // namespace layerwise

#pragma once
#include "base/thread_pool.h"
#include "network/network.h"

namespace layerwise {

// A hard bound on the weights, kept by projection after each step [Xue eq. 6]. Biases are free.
struct WeightConstraint {
  enum class Kind {
    none,
    frobenius,  // |W|^2 <= max over all weight matrices together
    unit        // |row|^2 <= max for each row of each of them
  };
  Kind kind = Kind::none;
  double max = 0;
};

// Moves theta to the nearest point that keeps the bound. The same bits at any number of threads.
template <typename T>
void project(Team& team, const WeightConstraint& constraint, const Network& network, T* theta);

}  // namespace layerwise

#pragma once
#include <vector>

#include "kernels/activation.h"

namespace layerwise {

enum class PenaltyKind { kl, l2, l1, constraint };
enum class Average { exact, batch, moving };

// A pull on the outputs of one hidden layer. l1 acts on every output, the others on the units' means over the rows; constraint is
// the augmented Lagrangian of mean = rho: sum over j of mu[j] (mean[j]-rho) + weight/2 (mean[j]-rho)^2.
struct Penalty {
  int layer;
  PenaltyKind kind;
  double target;  // rho
  double weight;  // beta
  Average average;
  std::vector<double> targets = {};      // [units] rho of each, where given
  std::vector<double> multipliers = {};  // [units] mu; none: 0

  double target_of(int unit) const { return targets.empty() ? target : targets[unit]; }
  double multiplier_of(int unit) const { return multipliers.empty() ? 0 : multipliers[unit]; }

  bool on_mean() const { return kind != PenaltyKind::l1; }
};

// The penalty: for kl and l2 beta * sum over j of Omega(rho, mean[j]), mean [units] being the layer's raw mean outputs. A target
// sees ActivationTraits::rate of them: under tanh, whose idle value is -1, (mean+1)/2. kl outside [1e-6, 1-1e-6] goes on along
// its tangent, so that it is finite and agrees with its derivative.
double penalty_value(const Penalty& penalty, Activation activation, const double* mean, int units);

// pull[j] = (1/m) d value / d mean[j]: what every row's delta of unit j receives before f' [Xue eq. 13, with the 1/m it lacks].
// Where rows have weights, m is their sum, and a row receives its weight times this.
template <typename T>
void penalty_pull(const Penalty& penalty, Activation activation, const double* mean, int units, double m, T* pull);

}  // namespace layerwise

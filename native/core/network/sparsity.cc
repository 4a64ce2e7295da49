#include "network/sparsity.h"

#include <cmath>

namespace layerwise {
namespace {

constexpr double kEdge = 1e-6;

struct Divergence {
  double value, slope;
};

// KL(rho || r) and its derivative in r, continued by the tangent outside [kEdge, 1 - kEdge]. NaN stays NaN.
Divergence kl(double rho, double r) {
  const double inside = r < kEdge ? kEdge : (r > 1 - kEdge ? 1 - kEdge : r);
  const double slope = -rho / inside + (1 - rho) / (1 - inside);
  // A rho so small that it is read as 0 adds nothing to the value.
  const double first = rho > 0 ? rho * std::log(rho / inside) : 0;
  const double value = first + (1 - rho) * std::log((1 - rho) / (1 - inside));
  return {value + slope * (r - inside), slope};
}

// What unit j adds to the penalty.
Divergence divergence(const Penalty& penalty, Activation activation, int j, double mean) {
  const ActivationTraits& traits = traits_of(activation);
  const double r = traits.rate(mean);
  const double apart = r - penalty.target_of(j), beta = penalty.weight;
  Divergence d{};
  if (penalty.kind == PenaltyKind::kl) {
    d = kl(penalty.target_of(j), r);
    d = {beta * d.value, beta * d.slope};
  } else if (penalty.kind == PenaltyKind::l2) {
    d = {beta * apart * apart, 2 * beta * apart};
  } else {
    const double mu = penalty.multiplier_of(j);
    d = {mu * apart + beta / 2 * apart * apart, mu + beta * apart};
  }
  d.slope *= traits.rate_slope();
  return d;
}

}  // namespace

double penalty_value(const Penalty& penalty, Activation activation, const double* mean, int units) {
  double sum = 0;
  for (int j = 0; j < units; j++) sum += divergence(penalty, activation, j, mean[j]).value;
  return sum;
}

template <typename T>
void penalty_pull(const Penalty& penalty, Activation activation, const double* mean, int units, double m, T* pull) {
  for (int j = 0; j < units; j++) pull[j] = static_cast<T>(divergence(penalty, activation, j, mean[j]).slope / m);
}

template void penalty_pull(const Penalty&, Activation, const double*, int, double, float*);
template void penalty_pull(const Penalty&, Activation, const double*, int, double, double*);

}  // namespace layerwise

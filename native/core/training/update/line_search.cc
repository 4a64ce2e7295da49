#include "training/update/line_search.h"

#include <algorithm>
#include <optional>

namespace layerwise {

namespace {

constexpr double kDecrease = 1e-4;  // c1
constexpr double kCurvature = 0.9;  // c2
constexpr int kEvaluations = 25;

// The minimiser of the cubic through two points (Nocedal & Wright, eq. 3.59); not finite where there is none.
double cubic_minimum(const LinePoint& a, const LinePoint& b) {
  const double width = b.step - a.step;
  const double d1 = a.slope + b.slope - 3 * (b.cost - a.cost) / width;
  const double d2 = std::copysign(std::sqrt(d1 * d1 - a.slope * b.slope), width);
  return b.step - width * (b.slope + d2 - d1) / (b.slope - a.slope + 2 * d2);
}

double within(double x, double bound, double other, double otherwise) {
  if (!std::isfinite(x)) return otherwise;
  return std::clamp(x, std::min(bound, other), std::max(bound, other));
}

// Between the ends of a bracket, a tenth of it away from either.
double interpolate(const LinePoint& low, const LinePoint& high, double noise, bool bisect) {
  const double width = high.step - low.step;
  // Nothing is known beyond the finite points: towards 0 in large steps until there is one.
  if (!high.finite()) return low.step + (low.step == 0 ? 0.1 : 0.5) * width;
  const double middle = low.step + 0.5 * width;
  if (bisect) return middle;
  const bool flat = std::fabs(high.cost - low.cost) <= noise && low.slope * high.slope < 0;
  const double guess = flat ? low.step - low.slope * width / (high.slope - low.slope) : cubic_minimum(low, high);
  return within(guess, low.step + 0.1 * width, high.step - 0.1 * width, middle);
}

// Past the farthest point, two to ten times as far for the first.
double extrapolate(const LinePoint& before, const LinePoint& farthest) {
  const double width = farthest.step - before.step;
  const double guess = cubic_minimum(before, farthest);
  return within(guess, farthest.step + width, farthest.step + 9 * width, farthest.step + 9 * width);
}

}  // namespace

LineSearch strong_wolfe(const LinePoint& start, double first_step, double noise,
                        const std::function<bool(LinePoint& point)>& evaluate) {
  LinePoint low = start;  // the lowest so far; its slope falls towards `high`
  std::optional<LinePoint> high;
  LinePoint trial;
  trial.step = first_step;
  double width = 0, width_before = 0;

  for (int evaluation = 0; evaluation < kEvaluations; ++evaluation) {
    if (!evaluate(trial)) return {LineSearch::Outcome::cancelled, start};
    const double limit = start.cost + kDecrease * trial.step * start.slope + noise;
    const LinePoint before = low;
    if (!trial.finite() || trial.cost > limit || trial.cost >= low.cost + noise) {
      high = trial;
    } else {
      if (std::fabs(trial.slope) <= -kCurvature * start.slope) return {LineSearch::Outcome::found, trial};
      const double ahead = high ? high->step - low.step : 1;
      low = trial;
      if (trial.slope * ahead >= 0) high = before;
    }
    if (!high) {
      trial = {extrapolate(before, low), 0, 0};
    } else {
      // Bisects where two trials did not shorten the bracket by a third (Moré & Thuente 1994).
      const double width_now = std::fabs(high->step - low.step);
      const double next = interpolate(low, *high, noise, width_before > 0 && width_now > 0.66 * width_before);
      width_before = width;
      width = width_now;
      if (next == low.step || next == high->step) break;
      trial = {next, 0, 0};
    }
  }

  if (low.step == 0 || low.cost >= start.cost) return {LineSearch::Outcome::failed, start};
  if (!evaluate(low)) return {LineSearch::Outcome::cancelled, start};
  return {LineSearch::Outcome::found, low};
}

}  // namespace layerwise

#pragma once
#include <cmath>
#include <functional>

namespace layerwise {

// Cost and its derivative along a direction, at theta + step * direction.
struct LinePoint {
  double step = 0, cost = 0, slope = 0;

  bool finite() const { return std::isfinite(cost) && std::isfinite(slope); }
};

struct LineSearch {
  enum class Outcome { found, failed, cancelled };
  Outcome outcome = Outcome::failed;
  LinePoint point;  // where found: the point evaluated last
};

// A step that satisfies the strong Wolfe conditions with c1 1e-4, c2 0.9 (Nocedal & Wright, algorithms 3.5 and 3.6 in one loop,
// cubic interpolation with safeguards, at most 25 evaluations): cost(step) <= cost(0) + c1 step slope(0) and |slope(step)| <= c2
// |slope(0)|. Costs that differ by no more than `noise` count as equal; the slopes decide there (Hager & Zhang 2005, the
// approximate Wolfe conditions). start.step is 0 and start.slope < 0. evaluate() sets point.cost and point.slope for point.step
// and returns false to cancel; a point that is not finite bounds the step. Where no step satisfies the second condition in time,
// the lowest point that satisfies the first will do.
LineSearch strong_wolfe(const LinePoint& start, double first_step, double noise,
                        const std::function<bool(LinePoint& point)>& evaluate);

}  // namespace layerwise

#pragma once
#include <vector>

#include "base/matrix.h"
#include "base/thread_pool.h"

namespace layerwise {

// Plane rotations of several QL sweeps, gathered and then applied together to the rows of a matrix as products with small
// orthogonal matrices (B. Lang, "Using level 3 BLAS in rotation-based algorithms", 1998). Each sweep goes from a higher place to
// a lower one; place i rotates the rows i and i+1.
class RotationSweeps {
 public:
  explicit RotationSweeps(MatrixView<double> target);

  void begin();
  // (row i, row i+1) becomes (c row i - s row i+1, s row i + c row i+1). Within a sweep, i decreases by one from call to call.
  void add(int i, double c, double s);
  void end() { ++sweeps_; }

  // Whether apply() must come before the next begin().
  bool full() const { return sweeps_ == kSweeps; }
  void apply(Team& team);

 private:
  static constexpr int kSweeps = 32;
  static constexpr int kRows = 2 * kSweeps;
  static constexpr int kColumns = 128;  // of the target, that one thread takes at a time
  struct Places {
    int first, last;
  };
  struct Window {
    int top, rows;
  };

  std::size_t at(int sweep, int place) const { return static_cast<std::size_t>(sweep) * target_.rows + place; }
  MatrixView<double> product(int window) {
    const int rows = windows_[window].rows;
    return {products_.data() + static_cast<std::size_t>(window) * kRows * kRows, rows, rows};
  }
  Places inside(int window, int sweep) const;
  void multiply(int window);

  MatrixView<double> target_;
  int sweeps_ = 0;
  Places places_[kSweeps] = {};
  std::vector<double> cosines_, sines_;
  std::vector<Window> windows_;
  std::vector<double> products_, scratch_;
};

}  // namespace layerwise

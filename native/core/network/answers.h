#pragma once
#include <cstdint>

#include "kernels/column_scaling.h"
#include "network/network.h"
#include "rows/scan.h"

namespace layerwise {

// What the forward pass leaves of each row.
enum class ForwardResult {
  outputs,  // out [rows, outputs]
  squares,  // out [rows, outputs]: squared differences from the row itself
  errors,   // errors [rows]: their sums
  classes   // classes [rows]: which output is largest
};

// Where that goes; the arrays are the caller's, each row is written by one thread.
template <typename T>
struct Answers {
  ForwardResult result = ForwardResult::outputs;
  T* out = nullptr;
  double* errors = nullptr;
  std::uint32_t* classes = nullptr;
  ColumnScaling unscale;  // of outputs: undone in float64, then rounded to T

  // Whether answers compare outputs with the rows themselves.
  bool compares() const { return result == ForwardResult::squares || result == ForwardResult::errors; }

  // Whether an answer may be too large to be held although the outputs of `last` are sums that are not.
  bool may_overflow(const DenseLayer& last) const {
    return result != ForwardResult::outputs || unscale || !traits_of(last.activation).bounded();
  }
};

// The answers for rows first, first+1, … from their outputs y [rows, outputs], which lie in answers.out already where that is
// wanted, and the rows x [rows, inputs].
template <typename T>
void put_answers(const Answers<T>& answers, int first, MatrixView<T> y, MatrixView<const T> x);

// The answer for row `row`, x [inputs], by exact_row. Returns the first place of it that cannot be held; column -1 if there is
// none.
template <typename T>
FirstBadRow put_exact_answer(const Answers<T>& answers, const Network& network, const T* theta, int row, const T* x);

}  // namespace layerwise

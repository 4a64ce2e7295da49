#include "network/answers.h"

#include <cmath>
#include <vector>

#include "kernels/vector_kernels.h"
#include "network/exact_row.h"
#include "network/softmax.h"

namespace layerwise {
namespace {

double unscaled(const ColumnScaling& scaling, int j, double y) {
  return (scaling.centre == nullptr ? y : y + scaling.centre[j]) / scaling.factor[j] + scaling.shift[j];
}

}  // namespace

template <typename T>
void put_answers(const Answers<T>& answers, int first, MatrixView<T> y, MatrixView<const T> x) {
  switch (answers.result) {
    case ForwardResult::outputs:
      if (!answers.unscale) return;
      for (int i = 0; i < y.rows; i++) {
        T* row = y.row(i);
        for (int j = 0; j < y.cols; j++) row[j] = static_cast<T>(unscaled(answers.unscale, j, row[j]));
      }
      return;
    case ForwardResult::squares:
      return vector_kernels<T>().squared_differences(y, x);
    case ForwardResult::errors:
      return vector_kernels<T>().row_squared_errors(y, x, answers.errors + first);
    case ForwardResult::classes:
      for (int i = 0; i < y.rows; i++) answers.classes[first + i] = largest(y.row(i), y.cols);
  }
}

template <typename T>
FirstBadRow put_exact_answer(const Answers<T>& answers, const Network& network, const T* theta, int row, const T* x) {
  constexpr int kNone = -1;
  std::vector<double> y;
  exact_row(network, theta, x, y);
  const int n = static_cast<int>(y.size());
  if (answers.result == ForwardResult::classes) {
    answers.classes[row] = largest(y.data(), n);
    return {row, std::isfinite(y[answers.classes[row]]) ? kNone : 0, y[answers.classes[row]], true};
  }
  if (answers.result == ForwardResult::errors) {
    double sum = 0;
    for (int j = 0; j < n; j++) sum += (y[j] - x[j]) * (y[j] - x[j]);
    answers.errors[row] = sum;
    return {row, std::isfinite(sum) ? kNone : 0, sum, true};
  }
  T* out = answers.out + static_cast<std::size_t>(row) * n;
  for (int j = 0; j < n; j++) {
    const double value = answers.result == ForwardResult::squares ? (y[j] - x[j]) * (y[j] - x[j])
                         : answers.unscale                        ? unscaled(answers.unscale, j, y[j])
                                                                  : y[j];
    out[j] = static_cast<T>(value);
    if (!std::isfinite(out[j])) return {row, j, value, true};
  }
  return {row, kNone, 0, true};
}

template void put_answers(const Answers<float>&, int, MatrixView<float>, MatrixView<const float>);
template void put_answers(const Answers<double>&, int, MatrixView<double>, MatrixView<const double>);
template FirstBadRow put_exact_answer(const Answers<float>&, const Network&, const float*, int, const float*);
template FirstBadRow put_exact_answer(const Answers<double>&, const Network&, const double*, int, const double*);

}  // namespace layerwise

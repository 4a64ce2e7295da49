#include "network/forward_row.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include "base/denormals.h"
#include "kernels/finite.h"
#include "network/activate.h"
#include "network/answers.h"
#include "products/single_row.h"

namespace layerwise {
namespace {

// The row of an indexed source.
template <typename T>
class IndexedRow {
 public:
  // False if its indices are wrong.
  bool read(const RowSource<T>& row) {
    starts_[1] = row.elements(nullptr, 0);
    columns_.resize(starts_[1]);
    values_.resize(starts_[1]);
    return row.read_elements(nullptr, 0, starts_[1], columns_.data(), values_.data());
  }
  bool is_finite() const {
    return std::all_of(values_.begin(), values_.end(), [](T value) { return std::isfinite(value); });
  }
  IndexedRows<T> view(int cols) const { return {1, cols, starts_, columns_.data(), values_.data(), nullptr}; }

 private:
  std::size_t starts_[2] = {0, 0};
  std::vector<std::uint32_t> columns_;
  std::vector<T> values_;
};

}  // namespace

template <typename T>
void transpose_first_layer(const Network& network, const T* theta, T* transposed) {
  const DenseLayer& layer = network.layers.front();
  if (layer.transposed) return;
  vector_kernels<T>().transpose(layer.weights(theta), {transposed, layer.inputs, layer.outputs});
}

template <typename T>
RowEnd forward_row(const Network& network, const T* theta, const T* transposed, const RowSource<T>& row, T* out, double* error) {
  DenormalsOff denormals_off;
  const auto& kernels = vector_kernels<T>();
  IndexedRow<T> list;
  MatrixView<const T> x = row.in_place(0, 1);
  std::vector<T> copy;
  const auto read_whole = [&] {
    copy.resize(network.inputs());
    row.read(nullptr, 0, {copy.data(), 1, network.inputs()});
    x = {copy.data(), 1, network.inputs()};
  };
  if (row.is_indexed()) {
    if (!list.read(row)) return RowEnd::wrong_index;
    if (!list.is_finite()) return RowEnd::not_finite;
  } else {
    if (x.data == nullptr) read_whole();
    if (!all_finite(x)) return RowEnd::not_finite;
  }

  bool overflows = false;
  std::vector<T> before, now;
  const std::vector<T> zeros(network.zeros(), T(0));
  const T* input = x.data;
  for (int l = 0; l < network.depth(); l++) {
    const DenseLayer& layer = network.layers[l];
    T* to = out;
    if (l + 1 < network.depth()) {
      now.resize(layer.outputs);
      to = now.data();
    }
    if (l == 0 && row.is_indexed()) {
      multiply_indexed_row(layer, theta, transposed, list.view(network.inputs()), to);
    } else {
      multiply_row(layer, theta, l == 0 ? transposed : nullptr, input, to);
    }
    overflows |= !all_finite(MatrixView<const T>(to, 1, layer.outputs));
    activate(layer, {to, 1, layer.outputs}, layer.biases(theta, zeros.data()));
    std::swap(before, now);
    input = to;
  }
  const int outputs = network.outputs();
  if (!traits_of(network.layers.back().activation).bounded()) overflows |= !all_finite(MatrixView<const T>(out, 1, outputs));
  const bool compares = error != nullptr;
  if (row.is_indexed() && (compares || overflows)) read_whole();
  if (compares) kernels.row_squared_errors({out, 1, outputs}, x, error);
  if (!overflows && (error == nullptr || std::isfinite(*error))) return RowEnd::finished;

  Answers<T> answers;
  answers.result = error != nullptr ? ForwardResult::errors : ForwardResult::outputs;
  answers.out = out;
  answers.errors = error;
  return put_exact_answer(answers, network, theta, 0, x.data).column < 0 ? RowEnd::finished : RowEnd::too_large;
}

template RowEnd forward_row(const Network&, const float*, const float*, const RowSource<float>&, float*, double*);
template RowEnd forward_row(const Network&, const double*, const double*, const RowSource<double>&, double*, double*);
template void transpose_first_layer(const Network&, const float*, float*);
template void transpose_first_layer(const Network&, const double*, double*);

}  // namespace layerwise

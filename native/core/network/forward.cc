#include "network/forward.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <type_traits>

#include "base/buffer.h"
#include "base/denormals.h"
#include "base/pages.h"
#include "kernels/vector_kernels.h"
#include "network/exact_row.h"
#include "network/plan.h"
#include "network/softmax.h"
#include "products/choose.h"
#include "products/grouped_chunk.h"
#include "products/single_row.h"
#include "rows/scan.h"

namespace layerwise {
namespace {

// Blocks worked on together; bounds the memory of intermediate layers.
constexpr int kBlocksAtOnce = 32;

// z becomes the layer's outputs, softmax or any other.
template <typename T>
void activate(const DenseLayer& layer, MatrixView<T> z, const T* bias) {
  if (layer.activation == Activation::softmax) {
    softmax(z, bias);
  } else {
    vector_kernels<T>().activate(layer.activation, z, bias, nullptr, {});
  }
}

// Rows of a block in groups, where most of their elements are zeros: a block decides by itself, so that rows encoded in parts
// have the bits of rows encoded together. As many blocks at a time as there are threads.
template <typename T>
class GroupedBlocks {
 public:
  GroupedBlocks(int threads, int most_rows, int cols) : taken_(threads) {
    for (int i = 0; i < threads; i++) places_.emplace_back(most_rows, 1, cols);
  }

  // body(input) with x in groups, or as it lies.
  template <typename Body>
  void with(MatrixView<const T> x, Body&& body) {
    constexpr int kSampled = 8 * RowGroups<T>::kRows;  // every eighth group is looked at
    if (places_.empty() || !groups_are_faster(GroupedChunk<T>::kept_share(x, kSampled), sizeof(T))) return body(x);
    std::size_t place = 0;
    while (taken_[place].exchange(true)) place = (place + 1) % places_.size();
    places_[place].open({x.rows, 1});
    places_[place].put(0, x);
    body(GroupedRows<T>{places_[place].blocks(), 1});
    taken_[place].store(false);
  }

 private:
  std::vector<GroupedChunk<T>> places_;
  std::vector<std::atomic<bool>> taken_;
};

double unscaled(const ColumnScaling& scaling, int j, double y) {
  return (scaling.centre == nullptr ? y : y + scaling.centre[j]) / scaling.factor[j] + scaling.shift[j];
}

template <typename E>
bool all_finite(MatrixView<E> x) {
  using T = std::remove_const_t<E>;
  constexpr T limit = std::numeric_limits<T>::max();
  return vector_kernels<T>().within(x, -limit, limit);
}

// The answer for row `row`, x [inputs], from its outputs in float64. Returns the first place that cannot be held, column -1 if
// there is none.
template <typename T>
FirstBadRow put_exact(const ForwardRequest<T>& request, int row, const T* x, const std::vector<double>& y) {
  constexpr int kNone = -1;
  const int n = static_cast<int>(y.size());
  if (request.result == ForwardResult::classes) {
    request.classes[row] = largest(y.data(), n);
    return {row, std::isfinite(y[request.classes[row]]) ? kNone : 0, y[request.classes[row]], true};
  }
  if (request.result == ForwardResult::errors) {
    double sum = 0;
    for (int j = 0; j < n; j++) sum += (y[j] - x[j]) * (y[j] - x[j]);
    request.errors[row] = sum;
    return {row, std::isfinite(sum) ? kNone : 0, sum, true};
  }
  T* out = request.out + static_cast<std::size_t>(row) * n;
  for (int j = 0; j < n; j++) {
    const double value = request.result == ForwardResult::squares ? (y[j] - x[j]) * (y[j] - x[j])
                         : request.unscale                        ? unscaled(request.unscale, j, y[j])
                                                                  : y[j];
    out[j] = static_cast<T>(value);
    if (!std::isfinite(out[j])) return {row, j, value, true};
  }
  return {row, kNone, 0, true};
}

}  // namespace

double forward_flops(const Network& network, int rows) {
  double weights = 0;
  for (const auto& layer : network.layers) weights += static_cast<double>(layer.weight_count());
  return 2 * weights * rows;
}

template <typename T>
bool forward(Team& team, const ForwardRequest<T>& request, const StopFlag& stop, FirstBadRow& bad) {
  const Network& network = *request.network;
  const auto& kernels = vector_kernels<T>();
  const Gather<T> gather(request.rows);
  const int total = request.rows.count, last = network.depth() - 1;
  const int block_rows = forward_block_rows(network);
  const int chunk_rows = std::min(total, block_rows * kBlocksAtOnce);
  const bool into_out = request.out != nullptr;
  const T limit = std::numeric_limits<T>::max();

  if (into_out) prefer_huge_pages(request.out, static_cast<std::size_t>(total) * network.outputs() * sizeof(T));

  const bool direct = gather.in_place(0, 1).data != nullptr;
  Buffer<T> x_buffer(direct ? 0 : static_cast<std::size_t>(chunk_rows) * network.inputs());
  std::vector<Buffer<T>> buffers;
  for (int l = 0; l <= last; l++) {
    const bool needed = l < last || !into_out;
    buffers.emplace_back(needed ? chunk_rows * stride_for(network.layers[l].outputs) : 0);
  }

  const std::vector<T> zeros(network.zeros(), T(0));
  const DenseLayer& first = network.layers.front();
  const bool may_group = may_be_grouped(first, std::min(total, block_rows), sizeof(T));
  auto products = choose_products<T>(network.layers);
  if (may_group) products.front() = choose_products<T>(first, InputKind::grouped);
  for (const auto& of_layer : products) of_layer->prepare(request.theta);
  const int at_once = std::min(team.threads(), (chunk_rows + block_rows - 1) / block_rows);
  GroupedBlocks<T> grouped(may_group ? at_once : 0, std::min(total, block_rows), network.inputs());

  const auto answer_again = [&](int row, const T* x) {
    std::vector<double> y;
    exact_row(network, request.theta, x, y);
    return put_exact(request, row, x, y);
  };

  std::atomic<int> first_bad{total}, first_unheld{total};
  for (int chunk = 0; chunk < total; chunk += chunk_rows) {
    const int in_chunk = std::min(chunk_rows, total - chunk);
    team.each((in_chunk + block_rows - 1) / block_rows, [&](int block) {
      if (stop.raised()) return;
      const int begin = block * block_rows, rows = std::min(block_rows, in_chunk - begin);
      MatrixView<const T> x = gather.in_place(chunk + begin, rows);
      if (x.data == nullptr) {
        MatrixView<T> copy{x_buffer.data() + static_cast<std::size_t>(begin) * network.inputs(), rows, network.inputs()};
        gather.read(nullptr, chunk + begin, copy);
        x = copy;
      }
      if (!kernels.within(x, -limit, limit)) return lower(first_bad, chunk + begin);

      std::vector<char> again;  // [rows] whether a sum or an answer is not finite; empty while there is none
      const auto note_overflow = [&](auto values) {
        if (all_finite(values)) return;
        again.resize(rows);
        for (int i = 0; i < rows; i++) {
          if (!all_finite(values.rows_from(i, 1))) again[i] = 1;
        }
      };
      MatrixView<const T> input = x;
      for (int l = 0; l <= last; l++) {
        const DenseLayer& layer = network.layers[l];
        const bool is_result = l == last && into_out;
        const MatrixView<T> a = is_result ? MatrixView<T>(request.out, total, layer.outputs).rows_from(chunk + begin, rows)
                                          : matrix_in(buffers[l].data(), in_chunk, layer.outputs).rows_from(begin, rows);
        if (l == 0 && may_be_grouped(first, rows, sizeof(T))) {
          grouped.with(x, [&](const LayerInput<T>& rows_in) { products[l]->forward(rows_in, a); });
        } else {
          products[l]->forward(input, a);
        }
        note_overflow(a);
        activate(layer, a, layer.biases(request.theta, zeros.data()));
        if (l < last) {
          input = a;
        } else if (request.result == ForwardResult::errors) {
          kernels.row_squared_errors(a, x, request.errors + chunk + begin);
        } else if (request.result == ForwardResult::squares) {
          kernels.squared_differences(a, x);
        } else if (request.result == ForwardResult::classes) {
          for (int i = 0; i < rows; i++) request.classes[chunk + begin + i] = largest(a.row(i), a.cols);
        } else if (request.unscale) {
          for (int i = 0; i < rows; i++) {
            T* y = a.row(i);
            for (int j = 0; j < a.cols; j++) y[j] = static_cast<T>(unscaled(request.unscale, j, y[j]));
          }
        }
      }
      if (into_out && (request.result != ForwardResult::outputs || request.unscale ||
                       !traits_of(network.layers[last].activation).bounded())) {
        note_overflow(MatrixView<T>(request.out, total, network.outputs()).rows_from(chunk + begin, rows));
      } else if (request.result == ForwardResult::errors) {
        note_overflow(MatrixView<const double>(request.errors + chunk + begin, rows, 1));
      }
      for (std::size_t i = 0; i < again.size(); i++) {
        if (again[i] == 0) continue;
        const int row = chunk + begin + static_cast<int>(i);
        if (answer_again(row, x.row(static_cast<int>(i))).column >= 0) lower(first_unheld, row);
      }
    });
    if (stop.raised()) return false;
    if (first_bad.load() < total) {
      find_bad(gather, first_bad.load(), std::min(block_rows, total - first_bad.load()), -limit, limit, bad);
      return true;
    }
    if (first_unheld.load() < total) {
      std::vector<T> x(network.inputs());
      gather.read(nullptr, first_unheld.load(), {x.data(), 1, network.inputs()});
      bad = answer_again(first_unheld.load(), x.data());
      return true;
    }
  }
  return true;
}

template <typename T>
void transpose_first_layer(const Network& network, const T* theta, T* transposed) {
  const DenseLayer& layer = network.layers.front();
  if (layer.transposed) return;
  vector_kernels<T>().transpose(layer.weights(theta), {transposed, layer.inputs, layer.outputs});
}

template <typename T>
RowEnd forward_row(const Network& network, const T* theta, const T* transposed, const Rows& row, T* out, double* error) {
  DenormalsOff denormals_off;
  const auto& kernels = vector_kernels<T>();
  const Gather<T> gather(row);
  const T limit = std::numeric_limits<T>::max();
  MatrixView<const T> x = gather.in_place(0, 1);
  std::vector<T> copy;
  if (x.data == nullptr) {
    copy.resize(network.inputs());
    gather.read(nullptr, 0, {copy.data(), 1, network.inputs()});
    x = {copy.data(), 1, network.inputs()};
  }
  if (!kernels.within(x, -limit, limit)) return RowEnd::not_finite;

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
    multiply_row(layer, theta, l == 0 ? transposed : nullptr, input, to);
    overflows |= !all_finite(MatrixView<const T>(to, 1, layer.outputs));
    activate(layer, {to, 1, layer.outputs}, layer.biases(theta, zeros.data()));
    std::swap(before, now);
    input = to;
  }
  const int outputs = network.outputs();
  if (!traits_of(network.layers.back().activation).bounded()) overflows |= !all_finite(MatrixView<const T>(out, 1, outputs));
  if (error != nullptr) kernels.row_squared_errors({out, 1, outputs}, x, error);
  if (!overflows && (error == nullptr || std::isfinite(*error))) return RowEnd::finished;

  std::vector<double> y;
  exact_row(network, theta, x.data, y);
  ForwardRequest<T> request;
  request.result = error != nullptr ? ForwardResult::errors : ForwardResult::outputs;
  request.out = out;
  request.errors = error;
  return put_exact(request, 0, x.data, y).column < 0 ? RowEnd::finished : RowEnd::too_large;
}

template bool forward(Team&, const ForwardRequest<float>&, const StopFlag&, FirstBadRow&);
template bool forward(Team&, const ForwardRequest<double>&, const StopFlag&, FirstBadRow&);
template RowEnd forward_row(const Network&, const float*, const float*, const Rows&, float*, double*);
template RowEnd forward_row(const Network&, const double*, const double*, const Rows&, double*, double*);
template void transpose_first_layer(const Network&, const float*, float*);
template void transpose_first_layer(const Network&, const double*, double*);

}  // namespace layerwise

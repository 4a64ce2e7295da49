#pragma once
#include <initializer_list>
#include <vector>

#include "base/thread_pool.h"
#include "network/evaluation.h"
#include "network/frozen_rows.h"
#include "vector_testing.h"

namespace layerwise {

// With a sanitizer everything takes ten times as long, and fewer rounds are enough to find errors.
#if defined(__SANITIZE_THREAD__) || defined(__SANITIZE_ADDRESS__)
inline constexpr bool kSanitized = true;
#else
inline constexpr bool kSanitized = false;
#endif

// How many threads are compared with one.
inline std::vector<int> thread_counts() { return kSanitized ? std::vector<int>{3} : std::vector<int>{2, 3, 7}; }

// Layers between the sizes given; the last one's activation is `output`.
inline Network network_of(std::initializer_list<int> sizes, Activation hidden, Activation output) {
  Network network;
  for (auto size = sizes.begin(); size + 1 != sizes.end(); size++) {
    network.add(size[0], size[1], size + 2 == sizes.end() ? output : hidden);
  }
  return network;
}

// Layers between the sizes given, and their mirror images over the same matrices.
inline Network tied_network(std::initializer_list<int> sizes, Activation hidden, Activation output, bool biases = true) {
  Network network;
  for (auto size = sizes.begin(); size + 1 != sizes.end(); size++) network.add(size[0], size[1], hidden, biases);
  for (int l = network.depth() - 1; l >= 0; l--) network.add_tied(l, l == 0 ? output : hidden, biases);
  return network;
}

inline Network autoencoder(int inputs, int hidden) {
  return network_of({inputs, hidden, inputs}, Activation::sigmoid, Activation::sigmoid);
}

// Weights and biases in +-1/sqrt(inputs of the layer), about.
template <typename T>
std::vector<T> parameters_of(const Network& network, unsigned seed) {
  std::vector<T> theta = random_vector<T>(network.parameters, -1, 1, seed);
  for (const DenseLayer& layer : network.layers) {
    const T scale = static_cast<T>(1 / std::sqrt(static_cast<double>(layer.inputs)));
    const auto shrink = [&](std::size_t from, std::size_t n) {
      for (std::size_t i = from; i < from + n; i++) theta[i] *= scale;
    };
    if (layer.owns_weights()) shrink(layer.weights_at, layer.weight_count());
    if (layer.has_biases) shrink(layer.biases_at, layer.outputs);
  }
  return theta;
}

inline Storage storage_of(const float*) { return Storage::f32; }
inline Storage storage_of(const double*) { return Storage::f64; }
inline Storage storage_of(const std::uint8_t*) { return Storage::u8; }
inline Storage storage_of(const std::int8_t*) { return Storage::i8; }
inline Storage storage_of(const std::uint16_t*) { return Storage::u16; }
inline Storage storage_of(const std::int16_t*) { return Storage::i16; }
inline Storage storage_of(const std::uint32_t*) { return Storage::u32; }
inline Storage storage_of(const std::int32_t*) { return Storage::i32; }

template <typename E>
Rows rows_of(const std::vector<E>& data, int cols) {
  Rows rows;
  rows.data = data.data();
  rows.storage = storage_of(data.data());
  rows.count = static_cast<int>(data.size() / cols);
  rows.cols = cols;
  return rows;
}

inline Objective objective_of(const Network& network, Loss loss, double weight_decay, std::vector<Penalty> penalties = {}) {
  return {loss, std::vector<double>(network.layers.size(), weight_decay), std::move(penalties)};
}

// Rows of memory, and the frozen layers that they go through first, if any.
struct TestRows {
  TestRows(const Rows& rows, const FrozenLayers* frozen = nullptr) : rows(rows), frozen(frozen) {}

  Rows rows;
  const FrozenLayers* frozen;
};

// What one evaluation gives.
template <typename T>
struct Evaluated {
  CostParts parts;
  std::vector<T> gradient;
  std::vector<double> means;
};

template <typename T>
Evaluated<T> evaluate(const Network& network, const Objective& objective, const std::vector<T>& theta, RowSource<T>& rows,
                      int threads = 2, EvaluationMemory memory = {}, const Noise* noise = nullptr) {
  Evaluated<T> out;
  out.gradient.assign(network.parameters, kNaN<T>);
  ThreadPool pool;
  pool.run(threads, [&](Team& team) {
    memory.row_scratch = rows.scratch_elements();
    Evaluator<T> evaluator(network, objective, rows.count(), memory, noise != nullptr, rows.is_indexed());
    typename Evaluator<T>::Request request;
    request.theta = theta.data();
    request.rows = &rows;
    request.count = rows.count();
    request.gradient = out.gradient.data();
    request.noise = noise;
    const typename Evaluator<T>::Sink add_decay = [&](int, const Plan::Tile& tile, T* gradient, std::size_t offset,
                                                      std::size_t n) {
      const T decay = tile.rows == 0 ? T(0) : static_cast<T>(objective.weight_decay[tile.layer]);
      vector_kernels<T>().add_decay(gradient, theta.data() + offset, n, decay);
    };
    request.sink = &add_decay;
    EXPECT_TRUE(evaluator.run(team, request, StopFlag(), out.parts));
    out.means = evaluator.mean_activation();
  });
  return out;
}

template <typename T>
Evaluated<T> evaluate(const Network& network, const Objective& objective, const std::vector<T>& theta, const TestRows& data,
                      int threads = 2, EvaluationMemory memory = {}, const Noise* noise = nullptr) {
  const auto rows = make_source<T>(data.rows, data.frozen);
  return evaluate(network, objective, theta, *rows, threads, memory, noise);
}

template <typename T>
bool same_bits(const std::vector<T>& a, const std::vector<T>& b) {
  return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size() * sizeof(T)) == 0);
}

template <typename T>
void expect_same_bits(const Evaluated<T>& a, const Evaluated<T>& b) {
  EXPECT_TRUE(same_bits(a.gradient, b.gradient));
  EXPECT_EQ(a.parts.loss, b.parts.loss);
  EXPECT_EQ(a.parts.weight_decay, b.parts.weight_decay);
  EXPECT_EQ(a.parts.sparsity, b.parts.sparsity);
  EXPECT_EQ(a.means, b.means);
}

// The rows of `data` [rows, cols] that `order` names, one after another.
template <typename E>
std::vector<E> taken(const std::vector<E>& data, int cols, const std::vector<std::uint32_t>& order) {
  std::vector<E> out;
  for (std::uint32_t row : order)
    out.insert(out.end(), data.begin() + std::size_t(row) * cols, data.begin() + (row + std::size_t(1)) * cols);
  return out;
}

// Classes below `classes`, in no regular order.
inline std::vector<std::uint32_t> labels_of(int rows, int classes, unsigned seed) {
  std::vector<std::uint32_t> labels;
  for (double x : random_vector<double>(rows, 0, classes, seed)) labels.push_back(static_cast<std::uint32_t>(x));
  return labels;
}

}  // namespace layerwise

#include "network/exact_row.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/vector_kernels.h"
#include "network/softmax.h"

namespace layerwise {
namespace {

// Of the power of two by which numbers up to `largest` become moderate; what it makes vanish is nothing beside the others.
int exponent_of(double largest) {
  constexpr int kMost = 1000;  // 2^-1000 is a normal number, and leaves at most 2^24
  return largest > 1 && std::isfinite(largest) ? -std::min(std::ilogb(largest), kMost) : 0;
}

template <typename T>
double largest_of(const T* x, std::size_t n) {
  double largest = 0;
  for (std::size_t i = 0; i < n; i++) largest = std::max(largest, std::fabs(static_cast<double>(x[i])));
  return largest;
}

// Sums as they come from the products: value[j] * 2^-exponent.
struct Scaled {
  std::vector<double> value;
  int exponent;
};

template <typename T>
Scaled product(const DenseLayer& layer, const T* theta, const std::vector<double>& x) {
  const MatrixView<const T> w = layer.weights(theta);
  const int of_x = exponent_of(largest_of(x.data(), x.size()));
  const int of_w = exponent_of(largest_of(w.data, layer.weight_count()));
  Scaled z{std::vector<double>(layer.outputs, 0.0), of_x + of_w};
  const double scale_of_x = std::ldexp(1.0, of_x), scale_of_w = std::ldexp(1.0, of_w);
  for (int k = 0; k < layer.inputs; k++) {
    const double factor = x[k] * scale_of_x;
    for (int j = 0; j < layer.outputs; j++) {
      const double weight = layer.transposed ? w.row(k)[j] : w.row(j)[k];
      z.value[j] += factor * (weight * scale_of_w);
    }
  }
  if (!layer.has_biases) return z;
  const T* bias = theta + layer.biases_at;
  for (int j = 0; j < layer.outputs; j++) z.value[j] += std::ldexp(static_cast<double>(bias[j]), z.exponent);
  return z;
}

}  // namespace

template <typename T>
void exact_row(const Network& network, const T* theta, const T* x, std::vector<double>& out) {
  constexpr double kLimit = std::numeric_limits<double>::max();
  out.assign(x, x + network.inputs());
  for (const DenseLayer& layer : network.layers) {
    const Scaled z = product(layer, theta, out);
    const std::vector<double> zeros(layer.outputs, 0.0);
    const bool is_softmax = layer.activation == Activation::softmax;
    // Only differences matter to softmax; where a bounded activation has reached its end, it no longer matters how far beyond.
    const bool bounded = traits_of(layer.activation).bounded();
    const double most = is_softmax ? *std::max_element(z.value.begin(), z.value.end()) : 0;
    out.resize(layer.outputs);
    for (int j = 0; j < layer.outputs; j++) {
      const double sum = std::ldexp(z.value[j] - most, -z.exponent);
      out[j] = bounded && !std::isnan(sum) ? std::clamp(sum, -kLimit, kLimit) : sum;
    }
    const MatrixView<double> a{out.data(), 1, layer.outputs};
    if (is_softmax) {
      softmax(a, zeros.data());
    } else {
      vector_kernels<double>().activate(layer.activation, a, zeros.data(), nullptr, {});
    }
  }
}

template void exact_row(const Network&, const float*, const float*, std::vector<double>&);
template void exact_row(const Network&, const double*, const double*, std::vector<double>&);

}  // namespace layerwise

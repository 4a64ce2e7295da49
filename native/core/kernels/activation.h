#pragma once
#include <limits>

namespace layerwise {

// f of a layer, in the order of the numbers that TypeScript uses. softmax is for the last layer only, is computed in softmax.h,
// and comes last.
enum class Activation { sigmoid, tanh, relu, satlin, identity, leaky_relu, elu, softplus, gelu, silu, softmax };

// The slope of leaky_relu for z <= 0.
inline constexpr double kLeak = 0.01;

// What is known of f beside its formula, which stands in loops/activations.h.
struct ActivationTraits {
  Activation activation;
  const char* name;
  double low, high;  // the values of f, ends included
  // Whether f' is made of z, and stored when f is applied, since the output has lost it. Else it is a function of the output.
  bool stores_slope = false;

  // Whether f maps every number, including infinities, to a finite one.
  constexpr bool bounded() const { return low > -kInfinite && high < kInfinite; }

  // Mean output as the share of the way from low to high, as penalties with a target see it, where f is bounded; else the mean
  // itself.
  constexpr double rate(double mean) const { return bounded() ? (mean - low) / (high - low) : mean; }
  constexpr double rate_slope() const { return bounded() ? 1 / (high - low) : 1; }

  static constexpr double kInfinite = std::numeric_limits<double>::infinity();
};

// In the order of the enum. softmax is no function of one number, and makes NaN of infinities: it counts as not bounded.
inline constexpr ActivationTraits kActivationTable[] = {
    {Activation::sigmoid, "sigmoid", 0, 1},
    {Activation::tanh, "tanh", -1, 1},
    {Activation::relu, "relu", 0, ActivationTraits::kInfinite},
    {Activation::satlin, "satlin", 0, 1},
    {Activation::identity, "identity", -ActivationTraits::kInfinite, ActivationTraits::kInfinite},
    {Activation::leaky_relu, "leakyRelu", -ActivationTraits::kInfinite, ActivationTraits::kInfinite},
    {Activation::elu, "elu", -1, ActivationTraits::kInfinite, true},
    {Activation::softplus, "softplus", 0, ActivationTraits::kInfinite},
    {Activation::gelu, "gelu", -0.16997120747990369, ActivationTraits::kInfinite, true},
    {Activation::silu, "silu", -0.2784645427610738, ActivationTraits::kInfinite, true},
    {Activation::softmax, "softmax", -ActivationTraits::kInfinite, ActivationTraits::kInfinite},
};

inline constexpr int kActivationCount = sizeof kActivationTable / sizeof *kActivationTable;

constexpr bool in_order_of_the_enum() {
  for (int i = 0; i < kActivationCount; i++) {
    if (static_cast<int>(kActivationTable[i].activation) != i) return false;
  }
  return kActivationTable[kActivationCount - 1].activation == Activation::softmax;
}
static_assert(in_order_of_the_enum());

constexpr const ActivationTraits& traits_of(Activation f) { return kActivationTable[static_cast<int>(f)]; }

}  // namespace layerwise

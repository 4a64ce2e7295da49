#pragma once

namespace layerwise {

// f of a layer. Derivatives as functions of the output a: sigmoid a(1-a), tanh 1-a^2, relu [a>0], satlin [0<a<1], identity 1.
// softmax is for the last layer only and is computed in softmax.h.
enum class Activation { sigmoid, tanh, relu, satlin, identity, softmax };

// Whether f maps every number, including infinities, to a finite one.
constexpr bool is_bounded(Activation f) { return f == Activation::sigmoid || f == Activation::tanh || f == Activation::satlin; }

}  // namespace layerwise

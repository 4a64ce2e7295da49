#pragma once

namespace layerwise {

// f of a layer. Derivatives are written in the output a: sigmoid a(1-a), tanh 1-a^2, relu [a>0], satlin [0<a<1], identity 1.
// softmax is for the last layer, and has a file of its own (softmax.h).
enum class Activation { sigmoid, tanh, relu, satlin, identity, softmax };

// Whether f takes every number, infinities too, to a finite one.
constexpr bool is_bounded(Activation f) { return f == Activation::sigmoid || f == Activation::tanh || f == Activation::satlin; }

}  // namespace layerwise

#pragma once

namespace layerwise {

// f of a layer. Derivatives are written in the output a: sigmoid a(1-a), tanh 1-a^2, relu [a>0], satlin [0<a<1], identity 1.
// softmax is for the last layer, and has a file of its own (softmax.h).
enum class Activation { sigmoid, tanh, relu, satlin, identity, softmax };

}  // namespace layerwise

#pragma once
#include "fields.h"
#include "training/state.h"

// A training job's state as an object of JavaScript: typed arrays and whole numbers by name.
namespace layerwise {

// state[name], with its arrays pinned and read where they lie.
TrainingState state_argument(const Napi::Object& owner, const char* name, Pins& pins);

// Arrays that use the memory of the state's vectors, which nobody else may use any more.
Napi::Object state_object(Napi::Env env, const TrainingState& state);

}  // namespace layerwise

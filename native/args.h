#pragma once
#include <napi.h>

#include <memory>
#include <string>
#include <vector>

#include "core/forward.h"
#include "core/objective.h"
#include "core/training.h"

namespace layerwise {

// An argument that could corrupt memory, or a buffer that went away. TypeScript has refused everything else already.
Napi::Error argument_error(Napi::Env env, const char* code, const std::string& message);

// The arrays a task reads or writes off-thread: kept alive while it runs. Created and destroyed on the JavaScript thread.
class Pins {
 public:
  explicit Pins(Napi::Env env) : arrays_(Napi::Persistent(Napi::Array::New(env).As<Napi::Object>())) {}
  void add(const Napi::Value& array) { arrays_.Value().Set(count_++, array); }

 private:
  Napi::ObjectReference arrays_;
  std::uint32_t count_ = 0;
};

// A typed array: where it is, how long, of what type. A detached one has no data and no length.
struct ArrayArgument {
  void* data = nullptr;
  std::size_t length = 0;
  napi_typedarray_type type = napi_float32_array;
};

// obj[name] as a typed array, pinned. With `length` ≥ 0 that must be its length. ERR_STATE where its buffer was transferred away.
ArrayArgument array_argument(const Napi::Object& object, const char* name, Pins& pins, std::int64_t length = -1);
ArrayArgument array_argument(Napi::Env env, const Napi::Value& value, const char* name, std::int64_t length = -1);
bool has(const Napi::Object& object, const char* name);

// Of exactly this type and length.
double* doubles_argument(const Napi::Object& object, const char* name, Pins& pins, std::size_t length);

// A copy of such an array.
std::vector<double> doubles_copy(const Napi::Object& object, const char* name, std::size_t length);

Network network_argument(const Napi::Object& request);
Objective objective_argument(const Napi::Object& request, const Network& network);
// `trusted_order`: the order was checked at an earlier crossing and is out of the user's reach.
Rows rows_argument(const Napi::Object& rows, Pins& pins, bool trusted_order = false);
// So many rows over data of a type that rows may have.
Rows rows_of(Napi::Env env, const ArrayArgument& data, int rows, int cols);
// rows.through, if it is there; its parameters are pinned. The caller keeps it as long as the rows that point to it.
std::unique_ptr<Through> through_argument(const Napi::Object& request, Pins& pins, bool in_double);
// That these rows, with their labels, are what the network learns from. `trusted`: the labels were checked at an earlier
// crossing.
void check_learnable(Napi::Env env, const Network& network, const Objective& objective, const Rows& rows, bool trusted = false);
TrainingOptions training_argument(const Napi::Object& request);

int threads_argument(const Napi::Object& request);
const std::int32_t* cancel_argument(const Napi::Object& request, Pins& pins);

// float32 or float64, as the request's parameters are.
bool is_double(const ArrayArgument& parameters);

}  // namespace layerwise

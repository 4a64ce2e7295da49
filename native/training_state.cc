#include "training_state.h"

#include <algorithm>
#include <cmath>
#include <functional>

#include "worker.h"

namespace layerwise {
namespace {

// Vectors of fewer bytes are copied, which takes less time than following when their memory is free.
constexpr std::size_t kSmall = 1 << 16;

template <typename T>
StateVector<T> seen(const ArrayArgument& array) {
  // Owns nothing: the array is pinned.
  return {std::shared_ptr<const T>(std::shared_ptr<void>(), static_cast<const T*>(array.data)), array.length};
}

TrainingState::Value value_argument(const Napi::Value& value, const std::string& name, Pins& pins) {
  const Napi::Env env = value.Env();
  if (value.IsNumber()) {
    const double number = value.As<Napi::Number>();
    if (std::trunc(number) != number || std::fabs(number) > 9007199254740991.0) {
      throw argument_error(env, "ERR_ARGUMENT", "state: '" + name + "' is not a whole number");
    }
    return static_cast<std::int64_t>(number);
  }
  const ArrayArgument array = array_argument(env, value, ("state: '" + name + "'").c_str());
  pins.add(value);
  if (array.type == napi_float32_array) return seen<float>(array);
  if (array.type == napi_float64_array) return seen<double>(array);
  throw argument_error(env, "ERR_ARGUMENT", "state: '" + name + "' is neither a Float32Array nor a Float64Array");
}

// The bytes of a vector as an ArrayBuffer over the same memory. Returns nullptr where the runtime has none of that kind.
template <typename T>
napi_value shared_buffer(Napi::Env env, const StateVector<T>& vector, std::size_t bytes) {
  using Freeing = std::function<void()>;
  auto freeing = std::make_unique<Freeing>(
      Environment::of(env).freeing_later(std::const_pointer_cast<void>(std::static_pointer_cast<const void>(vector.data))));
  const auto finalize = [](napi_env, void*, void* hint) {
    const std::unique_ptr<Freeing> owned(static_cast<Freeing*>(hint));
    (*owned)();
  };
  napi_value buffer;
  const napi_status status =
      napi_create_external_arraybuffer(env, const_cast<T*>(vector.data.get()), bytes, finalize, freeing.get(), &buffer);
  if (status != napi_ok) return nullptr;
  freeing.release();  // finalize has it
  return buffer;
}

template <typename T>
Napi::Value value_of(Napi::Env env, const StateVector<T>& vector) {
  const std::size_t bytes = vector.size * sizeof(T);
  napi_value buffer = bytes < kSmall ? nullptr : shared_buffer(env, vector, bytes);
  if (buffer == nullptr) {
    auto copy = Napi::ArrayBuffer::New(env, bytes);
    std::copy_n(vector.data.get(), vector.size, static_cast<T*>(copy.Data()));
    buffer = copy;
  }
  return Napi::TypedArrayOf<T>::New(env, vector.size, Napi::ArrayBuffer(env, buffer), 0);
}

Napi::Value value_of(Napi::Env env, std::int64_t integer) { return Napi::Number::New(env, static_cast<double>(integer)); }

}  // namespace

TrainingState state_argument(const Napi::Object& owner, const char* name, Pins& pins) {
  const Napi::Object object = child(owner, name);
  const Napi::Array names = object.GetPropertyNames();
  TrainingState state;
  for (std::uint32_t i = 0; i < names.Length(); i++) {
    const Napi::HandleScope scope(owner.Env());
    const std::string entry = names.Get(i).ToString();
    if (object.HasOwnProperty(entry)) state.add(entry, value_argument(object.Get(entry), entry, pins));
  }
  return state;
}

Napi::Object state_object(Napi::Env env, const TrainingState& state) {
  Napi::Object object = Napi::Object::New(env);
  for (const auto& entry : state.entries()) {
    const Napi::HandleScope scope(env);
    object.Set(entry.name, std::visit([&](const auto& value) { return value_of(env, value); }, entry.value));
  }
  return object;
}

}  // namespace layerwise

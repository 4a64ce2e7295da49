#include "fields.h"

#include <limits>

namespace layerwise {

Napi::Error argument_error(Napi::Env env, const char* code, const std::string& message) {
  Napi::Error error = Napi::Error::New(env, message);
  error.Set("code", Napi::String::New(env, code));
  return error;
}

bool has(const Napi::Object& object, const char* name) {
  if (!object.HasOwnProperty(name)) return false;
  const Napi::Value value = object.Get(name);
  return !value.IsUndefined() && !value.IsNull();
}

double number(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsNumber()) throw argument_error(object.Env(), "ERR_ARGUMENT", std::string(name) + ": expected a number");
  return value.As<Napi::Number>().DoubleValue();
}

int integer(const Napi::Object& object, const char* name, int least) {
  const double value = number(object, name);
  if (!(value >= least && value <= std::numeric_limits<int>::max()) || value != static_cast<int>(value)) {
    throw argument_error(object.Env(), "ERR_ARGUMENT", std::string(name) + ": expected a whole number");
  }
  return static_cast<int>(value);
}

Napi::Object child(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsObject()) throw argument_error(object.Env(), "ERR_ARGUMENT", std::string(name) + ": expected an object");
  return value.As<Napi::Object>();
}

Napi::Array list(const Napi::Object& object, const char* name) {
  const Napi::Value value = object.Get(name);
  if (!value.IsArray()) throw argument_error(object.Env(), "ERR_ARGUMENT", std::string(name) + ": expected an array");
  return value.As<Napi::Array>();
}

ArrayArgument array_argument(Napi::Env env, const Napi::Value& value, const char* name, std::int64_t length) {
  if (!value.IsTypedArray()) throw argument_error(env, "ERR_ARGUMENT", std::string(name) + ": expected a typed array");
  ArrayArgument argument;
  napi_value buffer;
  std::size_t offset;
  napi_get_typedarray_info(env, value, &argument.type, &argument.length, &argument.data, &buffer, &offset);
  if (argument.length == 0 && Napi::ArrayBuffer(env, buffer).IsDetached()) {
    throw argument_error(env, "ERR_STATE", std::string(name) + ": its buffer was transferred away");
  }
  if (length >= 0 && argument.length != static_cast<std::size_t>(length)) {
    throw argument_error(
        env, "ERR_SHAPE",
        std::string(name) + ": expected " + std::to_string(length) + " numbers, received " + std::to_string(argument.length));
  }
  return argument;
}

void Pins::check_attached() const {
  const Napi::Env env = arrays_.Env();
  const Napi::HandleScope scope(env);
  for (std::uint32_t i = 0; i < count_; i++) array_argument(env, arrays_.Value().Get(i), "data");
}

ArrayArgument array_argument(const Napi::Object& object, const char* name, Pins& pins, std::int64_t length) {
  const Napi::Value value = object.Get(name);
  const ArrayArgument argument = array_argument(object.Env(), value, name, length);
  pins.add(value);
  return argument;
}

namespace {

Napi::Error not_doubles(Napi::Env env, const char* name) {
  return argument_error(env, "ERR_ARGUMENT", std::string(name) + ": expected a Float64Array");
}

}  // namespace

double* doubles_argument(const Napi::Object& object, const char* name, std::size_t length) {
  const ArrayArgument array = array_argument(object.Env(), object.Get(name), name, static_cast<std::int64_t>(length));
  if (array.type != napi_float64_array) throw not_doubles(object.Env(), name);
  return static_cast<double*>(array.data);
}

double* doubles_argument(const Napi::Object& object, const char* name, Pins& pins, std::size_t length) {
  double* data = doubles_argument(object, name, length);
  pins.add(object.Get(name));
  return data;
}

bool is_double(const ArrayArgument& parameters) { return parameters.type == napi_float64_array; }

std::vector<double> doubles_copy(const Napi::Object& object, const char* name, std::int64_t length) {
  const ArrayArgument array = array_argument(object.Env(), object.Get(name), name, length);
  if (array.type != napi_float64_array) throw not_doubles(object.Env(), name);
  const auto* numbers = static_cast<const double*>(array.data);
  return {numbers, numbers + array.length};
}

}  // namespace layerwise

#pragma once
#include <napi.h>

#include <string>
#include <vector>

// Fields of JavaScript objects as C++ values, read by name; errors contain that name.
namespace layerwise {

// An argument that could corrupt memory, or a buffer that was detached. TypeScript has already refused everything else.
Napi::Error argument_error(Napi::Env env, const char* code, const std::string& message);

bool has(const Napi::Object& object, const char* name);
double number(const Napi::Object& object, const char* name);
int integer(const Napi::Object& object, const char* name, int least);
Napi::Object child(const Napi::Object& object, const char* name);
Napi::Array list(const Napi::Object& object, const char* name);

// The index of obj[name] in a list of names in the order of the enum.
template <typename Enum, std::size_t N>
Enum choice(const Napi::Object& object, const char* name, const char* const (&names)[N]) {
  const Napi::Value value = object.Get(name);
  const std::string word = value.IsString() ? value.As<Napi::String>().Utf8Value() : std::string();
  for (std::size_t i = 0; i < N; i++) {
    if (word == names[i]) return static_cast<Enum>(i);
  }
  throw argument_error(object.Env(), "ERR_ARGUMENT", std::string(name) + ": unknown '" + word + "'");
}

// The arrays that a task reads or writes on other threads, kept alive while it runs. Created and destroyed on the JavaScript
// thread.
class Pins {
 public:
  explicit Pins(Napi::Env env) : arrays_(Napi::Persistent(Napi::Array::New(env).As<Napi::Object>())) {}
  void add(const Napi::Value& array) { arrays_.Value().Set(count_++, array); }
  // ERR_STATE if the buffer of one has been transferred since.
  void check_attached() const;

 private:
  Napi::ObjectReference arrays_;
  std::uint32_t count_ = 0;
};

// A typed array: address, length, type. A detached one has no data and length 0.
struct ArrayArgument {
  void* data = nullptr;
  std::size_t length = 0;
  napi_typedarray_type type = napi_float32_array;
};

// obj[name] as a typed array, pinned. If `length` ≥ 0, that must be its length. ERR_STATE if its buffer was transferred.
ArrayArgument array_argument(const Napi::Object& object, const char* name, Pins& pins, std::int64_t length = -1);
ArrayArgument array_argument(Napi::Env env, const Napi::Value& value, const char* name, std::int64_t length = -1);

// Of exactly this type and length.
double* doubles_argument(const Napi::Object& object, const char* name, std::size_t length);
double* doubles_argument(const Napi::Object& object, const char* name, Pins& pins, std::size_t length);

// A copy of such an array; of any length if `length` is below 0.
std::vector<double> doubles_copy(const Napi::Object& object, const char* name, std::int64_t length = -1);

// float32 or float64, as parameters may be.
bool is_double(const ArrayArgument& parameters);

}  // namespace layerwise

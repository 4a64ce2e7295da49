#include <napi.h>

#include <cstdint>
#include <cstdlib>
#include <limits>
#include <new>
#include <string>

#include "base/pages.h"
#include "base/random.h"
#include "exports.h"
#include "kernels/vector_kernels.h"
#include "products/blas.h"
#include "worker.h"

namespace layerwise {

Napi::Value runtime(const Napi::CallbackInfo& info) {
  Napi::Object object = Napi::Object::New(info.Env());
  object.Set("openblas", blas_version());
  object.Set("kernel", blas_kernel());
  object.Set("kernelReason", blas_kernel_reason());
  object.Set("vectors", vector_level_name(vector_level()));
  return object;
}

Napi::Value uniform_numbers(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsTypedArray()) throw argument_error(env, "ERR_ARGUMENT", "out: expected a Float32Array or Float64Array");
  napi_typedarray_type type;
  std::size_t length, offset;
  void* data;
  napi_value buffer;
  napi_get_typedarray_info(env, info[0], &type, &length, &data, &buffer, &offset);
  const double low = info[1].As<Napi::Number>(), high = info[2].As<Napi::Number>();
  const auto seed = static_cast<std::uint64_t>(info[3].As<Napi::Number>().DoubleValue());
  const std::uint32_t stream = info[4].As<Napi::Number>();
  const auto index = static_cast<std::uint64_t>(info[5].As<Napi::Number>().DoubleValue());
  if (type == napi_float32_array) {
    uniform(static_cast<float*>(data), length, low, high, seed, stream, index);
  } else if (type == napi_float64_array) {
    uniform(static_cast<double*>(data), length, low, high, seed, stream, index);
  } else {
    throw argument_error(env, "ERR_ARGUMENT", "out: expected a Float32Array or Float64Array");
  }
  return env.Undefined();
}

Napi::Value shuffle_part(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ArrayArgument values = array_argument(env, info[0], "values");
  if (values.type != napi_uint32_array || values.length > std::numeric_limits<std::uint32_t>::max())
    throw argument_error(env, "ERR_ARGUMENT", "values: expected a Uint32Array");
  const auto count = static_cast<std::uint32_t>(values.length);
  const std::uint32_t from = info[1].As<Napi::Number>(), to = info[2].As<Napi::Number>();
  if (from > count) throw argument_error(env, "ERR_SHAPE", "from: expected a place in values");
  const auto seed = static_cast<std::uint64_t>(info[3].As<Napi::Number>().DoubleValue());
  const std::uint32_t stream = info[4].As<Napi::Number>();
  const auto index = static_cast<std::uint64_t>(info[5].As<Napi::Number>().DoubleValue());
  Shuffle(static_cast<std::uint32_t*>(values.data), count, seed, stream, index, from).place(to);
  return env.Undefined();
}

Napi::Value prepare_rows(const Napi::CallbackInfo& info) {
  if (!info[0].IsTypedArray() || info[0].As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array)
    throw argument_error(info.Env(), "ERR_ARGUMENT", "bytes: expected a Uint8Array");
  const std::uint32_t unit = info[1].IsNumber() ? info[1].As<Napi::Number>().Uint32Value() : 0;
  if (unit == 0) throw argument_error(info.Env(), "ERR_ARGUMENT", "unit: expected a positive number");
  auto bytes = info[0].As<Napi::Uint8Array>();
  prefer_huge_pages(bytes.Data(), bytes.ByteLength());
  const auto address = reinterpret_cast<std::uintptr_t>(bytes.Data());
  return Napi::Number::New(info.Env(), static_cast<double>((unit - address % unit) % unit));
}

namespace {

using Function = Napi::Value (*)(const Napi::CallbackInfo&);

// Adds a function that reports an allocation failure as our error.
template <Function function>
void add(Napi::Object& exports, const char* name) {
  const auto guarded = [](const Napi::CallbackInfo& info) -> Napi::Value {
    try {
      return function(info);
    } catch (const std::bad_alloc&) {
      throw argument_error(info.Env(), "ERR_MEMORY", "not enough memory");
    }
  };
  exports.Set(name, Napi::Function::New(exports.Env(), guarded, name));
}

Napi::Object start(Napi::Env env, Napi::Object exports) {
  try {
    blas_start();
  } catch (const BlasError& error) {
    throw argument_error(env, "ERR_LOAD", error.what());
  }
  const char* wish = std::getenv("LAYERWISE_VECTORS");
  const std::string level = vector_level_name(vector_level());
  // Set but empty means unset, as with LAYERWISE_THREADS.
  if (wish != nullptr && *wish != '\0' && wish != level) {
    throw argument_error(
        env, "ERR_LOAD",
        std::string("LAYERWISE_VECTORS is '") + wish + "', which this processor does not have; its best is " + level);
  }
  env.SetInstanceData(new Environment(env));  // owned by the environment, deleted with it
  add<runtime>(exports, "runtime");
  add<uniform_numbers>(exports, "uniform");
  add<shuffle_part>(exports, "shuffle");
  add<prepare_rows>(exports, "prepareRows");
  add<run_forward>(exports, "forward");
  add<run_forward_row>(exports, "forwardRow");
  add<run_evaluate>(exports, "evaluate");
  add<run_scan>(exports, "scan");
  add<run_covariance>(exports, "covariance");
  add<run_eigen>(exports, "eigen");
  add<run_leading_directions>(exports, "leadingDirections");
  add<checksum>(exports, "checksum");
  add<extremes>(exports, "extremes");
  add<lock_file>(exports, "lockFile");
  add<unlock_file>(exports, "unlockFile");
  add<open_training>(exports, "openTraining");
  add<train_span>(exports, "trainSpan");
  add<close_training>(exports, "closeTraining");
  return exports;
}

NODE_API_MODULE(layerwise, start)

}  // namespace
}  // namespace layerwise

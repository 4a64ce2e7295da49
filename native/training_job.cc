// The exports that open and close a training job.
#include "training_job.h"

#include <algorithm>
#include <cmath>

#include "exports.h"
#include "training_state.h"

namespace layerwise {
namespace {

constexpr napi_type_tag kTag = {0x6c61796572776973, 0x652d747261696e31};

}  // namespace

template <typename T>
bool Training::copy_parameters(void* out) {
  const auto& trained = job<T>();
  if (computing.load() || !trained) return false;
  const T *begin = trained->job.theta(), *end = begin + network.parameters;
  if (!std::all_of(begin, end, [](T value) { return std::isfinite(value); })) return false;
  std::copy(begin, end, static_cast<T*>(out));
  return true;
}

void Training::release(Environment& environment) {
  environment.free_later(std::shared_ptr<JobOverRows<float>>(std::move(in_float32)));
  environment.free_later(std::shared_ptr<JobOverRows<double>>(std::move(in_float64)));
  pins.reset();
}

Training& training_of(const Napi::CallbackInfo& info) {
  bool ours = false;
  if (info[0].IsExternal()) napi_check_object_type_tag(info.Env(), info[0], &kTag, &ours);
  if (!ours) throw argument_error(info.Env(), "ERR_ARGUMENT", "job: expected a training job");
  return *info[0].As<Napi::External<Training>>().Data();
}

Napi::Value open_training(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const Napi::Object request = request_argument(info);
  auto training = std::make_unique<Training>();
  training->network = network_argument(request);
  training->objective = objective_argument(request, training->network);
  training->options = training_argument(request);
  training->pins = std::make_unique<Pins>(env);
  Pins& pins = *training->pins;
  const auto length = static_cast<std::int64_t>(training->network.parameters);
  const ArrayArgument initial = array_argument(request, "parameters", pins, length);
  training->initial = initial.data;
  training->in_double = is_double(initial);
  training->rows = rows_argument(child(request, "rows"), pins);
  training->frozen = through_argument(request, pins, training->in_double);
  check_learnable(env, training->network, training->objective, training->rows, training->frozen);
  if (has(request, "state")) {
    training->state = state_argument(request, "state", pins);
    training->round = integer(child(request, "state"), "round", 0);
  }
  const auto handle = Napi::External<Training>::New(
      env, training.get(), [](Napi::Env, Training* owned) { const std::unique_ptr<Training> freed(owned); });
  training.release();
  napi_type_tag_object(env, handle, &kTag);
  return handle;
}

Napi::Value close_training(const Napi::CallbackInfo& info) {
  Training& training = training_of(info);
  bool written = false;
  if (!info[1].IsUndefined()) {
    const auto length = static_cast<std::int64_t>(training.network.parameters);
    const ArrayArgument out = array_argument(info.Env(), info[1], "parameters", length);
    if (is_double(out) != training.in_double) throw argument_error(info.Env(), "ERR_ARGUMENT", "parameters: wrong type");
    written = training.in_double ? training.copy_parameters<double>(out.data) : training.copy_parameters<float>(out.data);
  }
  training.closed = true;
  if (training.spans == 0) training.release(Environment::of(info.Env()));
  return Napi::Boolean::New(info.Env(), written);
}

}  // namespace layerwise

// The exports of a training job: open, one span of work, close.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>

#include "exports.h"
#include "training/training.h"
#include "worker.h"

namespace layerwise {
namespace {

using Clock = std::chrono::steady_clock;

// One running span and one queued span.
constexpr int kMostSpans = 2;

constexpr napi_type_tag kTag = {0x6c61796572776973, 0x652d747261696e31};

// Owned by the handle that JavaScript holds. The core's job is made in the first span, off the JavaScript thread.
struct Training {
  Network network;
  Objective objective;
  TrainingOptions options;
  bool in_double = false;
  int spans = 0;  // that are not settled yet
  bool closed = false;
  std::atomic<bool> computing{false};  // a span is being computed
  int round = 0;                       // of the last span
  Clock::time_point rested_since;      // set on the training lane
  Rows rows;                           // of arrays that `pins` holds, as is `initial`
  std::unique_ptr<Through> through;
  const void* initial = nullptr;
  std::unique_ptr<Pins> pins;
  std::unique_ptr<TrainingJob<float>> in_float32;
  std::unique_ptr<TrainingJob<double>> in_float64;

  template <typename T>
  std::unique_ptr<TrainingJob<T>>& job();

  // The parameters of the last complete step; false if there is none, or they are not finite.
  template <typename T>
  bool copy_parameters(void* out) {
    const auto& trained = job<T>();
    if (computing.load() || !trained) return false;
    const T *begin = trained->theta(), *end = begin + network.parameters;
    if (!std::all_of(begin, end, [](T value) { return std::isfinite(value); })) return false;
    std::copy(begin, end, static_cast<T*>(out));
    return true;
  }

  // Frees its memory when no span uses it any more.
  void release(Environment& environment) {
    environment.free_later(std::shared_ptr<TrainingJob<float>>(std::move(in_float32)));
    environment.free_later(std::shared_ptr<TrainingJob<double>>(std::move(in_float64)));
    pins.reset();
  }
};

template <>
std::unique_ptr<TrainingJob<float>>& Training::job<float>() {
  return in_float32;
}
template <>
std::unique_ptr<TrainingJob<double>>& Training::job<double>() {
  return in_float64;
}

// Marks a span as being computed during its lifetime.
class Computing {
 public:
  explicit Computing(Training& training) : training_(training) { training_.computing.store(true); }
  ~Computing() { training_.computing.store(false); }
  Computing(const Computing&) = delete;
  Computing& operator=(const Computing&) = delete;

 private:
  Training& training_;
};

Training& training_of(const Napi::CallbackInfo& info) {
  bool ours = false;
  if (info[0].IsExternal()) napi_check_object_type_tag(info.Env(), info[0], &kTag, &ours);
  if (!ours) throw argument_error(info.Env(), "ERR_ARGUMENT", "job: expected a training job");
  return *info[0].As<Napi::External<Training>>().Data();
}

// The work of a span in one epoch.
struct SpanPart {
  SpanResult result;
  double seconds;
};

struct SpanCall {
  Training* training;
  Span span;
  std::vector<double> learning_rates;  // of span.epoch and of those after it that may begin
  void* parameters;
  Clock::time_point submitted = Clock::now();
  std::vector<SpanPart> parts;
};

template <typename T>
void compute_span(SpanCall& call, Team& team, const StopFlag& stop) {
  Training& training = *call.training;
  auto& job = training.job<T>();
  auto start = std::max(call.submitted, training.rested_since);
  const auto deadline = Clock::now() + std::chrono::duration<double, std::milli>(call.span.budget_ms);
  if (!job) {
    check_rows(training.network, training.objective, training.rows);
    job = std::make_unique<TrainingJob<T>>(training.network, training.objective, training.options,
                                           static_cast<const T*>(training.initial), training.rows.count,
                                           training.through ? &training.through->network : nullptr);
  }
  Span span = call.span;
  const int end = call.span.epoch + static_cast<int>(call.learning_rates.size());
  for (;;) {
    span.epoch = std::max(call.span.epoch, job->epoch());
    if (span.epoch >= end || job->ended(span.round)) return;
    span.learning_rate = call.learning_rates[span.epoch - call.span.epoch];
    SpanResult result = job->run(team, training.rows, span, stop);
    if (!result.diverged && (result.epoch_done || result.cancelled)) {
      std::copy(job->theta(), job->theta() + training.network.parameters, static_cast<T*>(call.parameters));
    }
    training.rested_since = Clock::now();
    call.parts.push_back({std::move(result), std::chrono::duration<double>(training.rested_since - start).count()});
    start = training.rested_since;
    if (!call.parts.back().result.epoch_done || start >= deadline) return;
    span.budget_ms = std::chrono::duration<double, std::milli>(deadline - start).count();
  }
}

Napi::Object part_object(Napi::Env env, const SpanPart& part) {
  const SpanResult& result = part.result;
  Napi::Object object = Napi::Object::New(env);
  object.Set("seconds", part.seconds);
  object.Set("steps", result.steps);
  object.Set("stepsInEpoch", result.steps_in_epoch);
  object.Set("loss", result.cost.loss);
  object.Set("weightDecay", result.cost.weight_decay);
  object.Set("sparsity", result.cost.sparsity);
  object.Set("correct", result.cost.correct);
  object.Set("cancelled", result.cancelled);
  object.Set("diverged", result.diverged);
  // Otherwise absent members would be read from Object.prototype.
  object.Set("epoch", env.Undefined());
  if (!result.epoch_done) return object;
  Napi::Object epoch = Napi::Object::New(env);
  epoch.Set("gradientNorm", result.gradient_norm);
  auto means = Napi::Float64Array::New(env, result.mean_activation.size());
  std::copy(result.mean_activation.begin(), result.mean_activation.end(), means.Data());
  epoch.Set("meanActivation", means);
  epoch.Set("evaluations", result.evaluations);
  epoch.Set("stopped", result.stopped == nullptr ? env.Undefined() : Napi::Value(Napi::String::New(env, result.stopped)));
  object.Set("epoch", epoch);
  return object;
}

Napi::Value part_objects(Napi::Env env, const std::vector<SpanPart>& parts) {
  Napi::Array array = Napi::Array::New(env, parts.size());
  for (std::uint32_t i = 0; i < parts.size(); i++) {
    Napi::HandleScope scope(env);
    array.Set(i, part_object(env, parts[i]));
  }
  return array;
}

}  // namespace

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
  training->through = through_argument(request, pins, training->in_double);
  training->rows.through = training->through.get();
  check_learnable(env, training->network, training->objective, training->rows);
  const auto handle = Napi::External<Training>::New(
      env, training.get(), [](Napi::Env, Training* owned) { const std::unique_ptr<Training> freed(owned); });
  training.release();
  napi_type_tag_object(env, handle, &kTag);
  return handle;
}

Napi::Value train_span(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  Training& training = training_of(info);
  if (training.spans == kMostSpans || training.closed) throw argument_error(env, "ERR_STATE", "job: busy or closed");
  const Napi::Object request = request_argument(info, 1);
  auto operation = make_operation(request);
  operation->pins.add(info[0]);

  auto call = std::make_shared<SpanCall>();
  call->training = &training;
  training.pins->check_attached();
  const auto length = static_cast<std::int64_t>(training.network.parameters);
  const ArrayArgument parameters = array_argument(request, "parameters", operation->pins, length);
  if (is_double(parameters) != training.in_double) throw argument_error(env, "ERR_ARGUMENT", "parameters: wrong type");
  call->parameters = parameters.data;
  call->learning_rates = doubles_copy(request, "learningRates");
  call->span.epoch = request.Get("epoch").ToNumber();
  call->span.budget_ms = request.Get("budgetMs").ToNumber();
  if (has(request, "constraint")) {
    const auto constraint = request.Get("constraint").As<Napi::Object>();
    const int units = training.network.layers.front().outputs;
    call->span.round = constraint.Get("round").ToNumber();
    call->span.constraint_weight = constraint.Get("weight").ToNumber();
    call->span.multipliers = doubles_copy(constraint, "multipliers", units);
  } else {
    call->span.round = training.round;
  }
  training.round = call->span.round;

  operation->compute = [call](Team& team, const StopFlag& stop) {
    const Computing computing(*call->training);
    if (call->training->in_double) {
      compute_span<double>(*call, team, stop);
    } else {
      compute_span<float>(*call, team, stop);
    }
  };
  operation->result = [call](Napi::Env later) -> Napi::Value { return part_objects(later, call->parts); };
  operation->settled = [call, &environment = Environment::of(env)] {
    if (--call->training->spans == 0 && call->training->closed) call->training->release(environment);
  };
  const int batch =
      training.options.batch_size == 0 ? training.rows.count : std::min(training.options.batch_size, training.rows.count);
  const int threads = useful_threads(step_flops(training.network, batch), threads_argument(request));
  const Napi::Value promise = Environment::of(env).start(env, Lane::training, threads, std::move(operation));
  training.spans++;
  return promise;
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

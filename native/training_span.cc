// The export that trains: one span of work.
#include <algorithm>
#include <chrono>
#include <optional>

#include "exports.h"
#include "training_job.h"
#include "training_state.h"

namespace layerwise {
namespace {

using Clock = std::chrono::steady_clock;

// One running span and one queued span.
constexpr int kMostSpans = 2;

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

// The work of a span in one epoch.
struct SpanPart {
  SpanResult result;
  double seconds;
  std::optional<TrainingState> state = std::nullopt;  // of the job after it; with the last part alone, where asked for
};

struct SpanCall {
  Training* training;
  Span span;
  std::vector<double> learning_rates;  // of span.epoch and of those after it that may begin
  void* parameters;
  bool wants_state;
  Clock::time_point submitted = Clock::now();
  std::vector<SpanPart> parts;
};

template <typename T>
std::unique_ptr<JobOverRows<T>> make_job(Training& training) {
  check_rows(training.network, training.objective, training.rows);
  auto made = std::make_unique<JobOverRows<T>>(make_source<T>(training.rows, training.frozen ? &*training.frozen : nullptr),
                                               training.network, training.objective, training.options,
                                               static_cast<const T*>(training.initial));
  if (training.state) made->job.restore(*training.state);
  training.state.reset();
  return made;
}

template <typename T>
void compute_parts(SpanCall& call, Team& team, const StopFlag& stop) {
  Training& training = *call.training;
  auto& made = training.job<T>();
  auto start = std::max(call.submitted, training.rested_since);
  const auto deadline = Clock::now() + std::chrono::duration<double, std::milli>(call.span.budget_ms);
  if (!made) made = make_job<T>(training);
  TrainingJob<T>& job = made->job;
  Span span = call.span;
  const int end = call.span.epoch + static_cast<int>(call.learning_rates.size());
  for (;;) {
    span.epoch = std::max(call.span.epoch, job.epoch());
    if (span.epoch >= end || job.ended(span.round)) return;
    span.learning_rate = call.learning_rates[span.epoch - call.span.epoch];
    SpanResult result = job.run(team, *made->rows, span, stop);
    check_whole(*made->rows);
    if (!result.diverged && (result.epoch_done || result.cancelled)) {
      std::copy(job.theta(), job.theta() + training.network.parameters, static_cast<T*>(call.parameters));
    }
    training.rested_since = Clock::now();
    call.parts.push_back({std::move(result), std::chrono::duration<double>(training.rested_since - start).count()});
    start = training.rested_since;
    if (!call.parts.back().result.epoch_done || start >= deadline) return;
    span.budget_ms = std::chrono::duration<double, std::milli>(deadline - start).count();
  }
}

template <typename T>
void compute_span(SpanCall& call, Team& team, const StopFlag& stop) {
  compute_parts<T>(call, team, stop);
  if (!call.wants_state) return;
  if (call.learning_rates.empty()) call.parts.push_back({SpanResult{}, 0.0});
  if (!call.parts.empty() && !call.parts.back().result.diverged) call.parts.back().state = call.training->job<T>()->job.state();
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
  object.Set("state", part.state ? Napi::Value(state_object(env, *part.state)) : env.Undefined());
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
  call->wants_state = has(request, "state") && request.Get("state").ToBoolean();
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

}  // namespace layerwise

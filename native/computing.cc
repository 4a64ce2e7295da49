// The exports that compute once over rows: forward, cost, scan, covariance, eigenvectors, leading directions.
#include <algorithm>

#include "core/blas.h"
#include "core/covariance.h"
#include "core/eigen.h"
#include "core/evaluation.h"
#include "core/forward.h"
#include "core/subspace.h"
#include "exports.h"
#include "worker.h"

namespace layerwise {
namespace {

using Priority = ThreadPool::Priority;

Napi::Object request_argument(const Napi::CallbackInfo& info) {
  if (!info[0].IsObject()) throw argument_error(info.Env(), "ERR_ARGUMENT", "request: expected an object");
  return info[0].As<Napi::Object>();
}

std::unique_ptr<Operation> make_operation(const Napi::Object& request) {
  auto operation = std::make_unique<Operation>(request.Env());
  operation->stop = std::make_unique<StopFlag>(cancel_argument(request, operation->pins));
  return operation;
}

Napi::Error cancelled(Napi::Env env) { return argument_error(env, "CANCELLED", "cancelled"); }

Napi::Value bad_value(Napi::Env env, const FirstBadRow& bad) {
  Napi::Object place = Napi::Object::New(env);
  place.Set("row", bad.row);
  place.Set("column", bad.column);
  place.Set("value", bad.value);
  return place;
}

ForwardResult result_argument(const Napi::Object& request) {
  const std::string word = request.Get("result").ToString();
  if (word == "outputs") return ForwardResult::outputs;
  if (word == "squares") return ForwardResult::squares;
  if (word == "errors") return ForwardResult::errors;
  if (word == "classes") return ForwardResult::classes;
  throw argument_error(request.Env(), "ERR_ARGUMENT", "result: unknown '" + word + "'");
}

// What the pool and the JavaScript thread share of one call; freed with the operation.
template <typename T>
struct ForwardCall {
  Network network;
  ForwardRequest<T> request;
  FirstBadRow bad;
  bool finished = false;
};

template <typename T>
Napi::Value start_forward(const Napi::Object& request, std::unique_ptr<Operation> operation, const ArrayArgument& parameters) {
  const Napi::Env env = request.Env();
  auto call = std::make_shared<ForwardCall<T>>();
  call->network = network_argument(request);
  ForwardRequest<T>& forward_request = call->request;
  forward_request.network = &call->network;
  forward_request.theta = static_cast<const T*>(parameters.data);
  forward_request.rows = rows_argument(request.Get("rows").As<Napi::Object>(), operation->pins);
  forward_request.result = result_argument(request);
  const int rows = forward_request.rows.count, outputs = call->network.outputs();
  const bool compares = forward_request.result == ForwardResult::squares || forward_request.result == ForwardResult::errors;
  if (parameters.length != call->network.parameters) throw argument_error(env, "ERR_SHAPE", "parameters: wrong length");
  if (forward_request.rows.cols != call->network.inputs() || (compares && call->network.inputs() != outputs)) {
    throw argument_error(env, "ERR_SHAPE", "rows: wrong width");
  }
  if (forward_request.result == ForwardResult::errors) {
    forward_request.errors = doubles_argument(request, "out", operation->pins, rows);
  } else if (forward_request.result == ForwardResult::classes) {
    const ArrayArgument out = array_argument(request, "out", operation->pins, rows);
    if (out.type != napi_uint32_array) throw argument_error(env, "ERR_ARGUMENT", "out: expected a Uint32Array");
    forward_request.classes = static_cast<std::uint32_t*>(out.data);
  } else {
    const ArrayArgument out = array_argument(request, "out", operation->pins, static_cast<std::int64_t>(rows) * outputs);
    if (out.type != parameters.type) throw argument_error(env, "ERR_ARGUMENT", "out: expected the type of the parameters");
    forward_request.out = static_cast<T*>(out.data);
  }
  if (has(request, "shift")) {
    forward_request.shift = doubles_argument(request, "shift", operation->pins, outputs);
    forward_request.factor = doubles_argument(request, "factor", operation->pins, outputs);
  }
  operation->compute = [call](Team& team, const StopFlag& stop) {
    call->finished = forward(team, call->request, stop, call->bad);
  };
  operation->result = [call](Napi::Env later) -> Napi::Value {
    if (!call->finished) throw cancelled(later);
    if (call->bad.row >= 0) {
      Napi::Error error = argument_error(later, "ERR_RANGE", "a value that is not finite");
      error.Set("row", Napi::Number::New(later, call->bad.row));
      error.Set("column", Napi::Number::New(later, call->bad.column));
      error.Set("value", Napi::Number::New(later, call->bad.value));
      throw error;
    }
    return later.Undefined();
  };
  const int threads = useful_threads(forward_flops(call->network, rows), threads_argument(request));
  return Environment::of(env).start(env, Priority::urgent, threads, std::move(operation));
}

template <typename T>
struct EvaluateCall {
  Network network;
  Objective objective;
  Rows rows;
  std::unique_ptr<Through> through;
  const T* theta;
  T* gradient = nullptr;
  CostParts parts;
  std::vector<double> mean_activation;
  bool finished = false;

  void run(Team& team, const StopFlag& stop) {
    Evaluator<T> evaluator(network, objective, rows.count, {}, through ? &through->network : nullptr);
    const Gather<T> gather(rows);
    const auto& kernels = vector_kernels<T>();
    typename Evaluator<T>::Request request;
    request.theta = theta;
    request.rows = &gather;
    request.count = rows.count;
    request.gradient = gradient;
    const typename Evaluator<T>::Sink add_decay = [&](int, const Plan::Tile& tile, std::size_t offset, std::size_t n) {
      const auto decay = static_cast<T>(objective.weight_decay[tile.layer]);
      if (tile.rows > 0 && decay != 0) kernels.add_decay(gradient + offset, theta + offset, n, decay);
    };
    request.sink = &add_decay;
    finished = evaluator.run(team, request, stop, parts);
    mean_activation = evaluator.mean_activation();
  }
};

template <typename T>
Napi::Value start_evaluate(const Napi::Object& request, std::unique_ptr<Operation> operation, const ArrayArgument& parameters) {
  const Napi::Env env = request.Env();
  auto call = std::make_shared<EvaluateCall<T>>();
  call->network = network_argument(request);
  call->objective = objective_argument(request, call->network);
  call->rows = rows_argument(request.Get("rows").As<Napi::Object>(), operation->pins);
  call->through = through_argument(request, operation->pins, is_double(parameters));
  call->rows.through = call->through.get();
  call->theta = static_cast<const T*>(parameters.data);
  if (parameters.length != call->network.parameters) throw argument_error(env, "ERR_SHAPE", "parameters: wrong length");
  check_learnable(env, call->network, call->objective, call->rows);
  if (has(request, "gradient")) {
    const auto length = static_cast<std::int64_t>(call->network.parameters);
    const ArrayArgument gradient = array_argument(request, "gradient", operation->pins, length);
    if (gradient.type != parameters.type)
      throw argument_error(env, "ERR_ARGUMENT", "gradient: expected the type of the parameters");
    call->gradient = static_cast<T*>(gradient.data);
  }
  operation->compute = [call](Team& team, const StopFlag& stop) { call->run(team, stop); };
  operation->result = [call](Napi::Env later) -> Napi::Value {
    if (!call->finished) throw cancelled(later);
    Napi::Object parts = Napi::Object::New(later);
    parts.Set("loss", call->parts.loss);
    parts.Set("weightDecay", call->parts.weight_decay);
    parts.Set("sparsity", call->parts.sparsity);
    auto means = Napi::Float64Array::New(later, call->mean_activation.size());
    std::copy(call->mean_activation.begin(), call->mean_activation.end(), means.Data());
    parts.Set("meanActivation", means);
    return parts;
  };
  const double flops = 3 * forward_flops(call->network, call->rows.count);
  const int threads = useful_threads(flops, threads_argument(request));
  return Environment::of(env).start(env, Priority::normal, threads, std::move(operation));
}

}  // namespace

Napi::Value run_forward(const Napi::CallbackInfo& info) {
  const Napi::Object request = request_argument(info);
  auto operation = make_operation(request);
  const ArrayArgument parameters = array_argument(request, "parameters", operation->pins);
  return is_double(parameters) ? start_forward<double>(request, std::move(operation), parameters)
                               : start_forward<float>(request, std::move(operation), parameters);
}

Napi::Value run_forward_row(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ArrayArgument shape = array_argument(env, info[0], "shape");
  if (shape.type != napi_int32_array || shape.length < 4 || shape.length % 3 != 1)
    throw argument_error(env, "ERR_SHAPE", "shape: no layers");
  const auto* sizes = static_cast<const std::int32_t*>(shape.data);
  Network network;
  for (std::size_t i = 1; i < shape.length; i += 3) {
    const int inputs = i == 1 ? sizes[0] : sizes[i - 3], outputs = sizes[i], activation = sizes[i + 1];
    if (inputs < 1 || outputs < 1 || activation < 0 || activation > static_cast<int>(Activation::softmax)) {
      throw argument_error(env, "ERR_SHAPE", "shape: not a layer");
    }
    network.add(inputs, outputs, static_cast<Activation>(activation), sizes[i + 2] != 0);
  }

  const auto width = static_cast<std::int64_t>(network.inputs());
  const ArrayArgument parameters = array_argument(env, info[1], "parameters", static_cast<std::int64_t>(network.parameters));
  const ArrayArgument data = array_argument(env, info[2], "row", width);
  const ArrayArgument out = array_argument(env, info[6], "out", network.outputs());
  if (out.type != parameters.type) throw argument_error(env, "ERR_ARGUMENT", "out: expected the type of the parameters");
  Rows row = rows_of(env, data, 1, network.inputs());
  row.scale = info[3].ToNumber();
  if (!info[4].IsUndefined()) {
    const ArrayArgument shift = array_argument(env, info[4], "shift", width),
                        factor = array_argument(env, info[5], "factor", width);
    if (shift.type != napi_float64_array || factor.type != napi_float64_array) {
      throw argument_error(env, "ERR_ARGUMENT", "shift, factor: expected Float64Arrays");
    }
    row.shift = static_cast<const double*>(shift.data);
    row.factor = static_cast<const double*>(factor.data);
  }
  const bool fine = is_double(parameters)
                        ? forward_row(network, static_cast<const double*>(parameters.data), row, static_cast<double*>(out.data))
                        : forward_row(network, static_cast<const float*>(parameters.data), row, static_cast<float*>(out.data));
  return Napi::Boolean::New(env, fine);
}

Napi::Value run_evaluate(const Napi::CallbackInfo& info) {
  const Napi::Object request = request_argument(info);
  auto operation = make_operation(request);
  const ArrayArgument parameters = array_argument(request, "parameters", operation->pins);
  return is_double(parameters) ? start_evaluate<double>(request, std::move(operation), parameters)
                               : start_evaluate<float>(request, std::move(operation), parameters);
}

Napi::Value run_scan(const Napi::CallbackInfo& info) {
  const Napi::Object request = request_argument(info);
  auto operation = make_operation(request);
  struct Call {
    Rows rows;
    double low, high;
    FirstBadRow bad;
    bool finished = false;
  };
  auto call = std::make_shared<Call>();
  call->rows = rows_argument(request.Get("rows").As<Napi::Object>(), operation->pins);
  call->low = request.Get("low").ToNumber();
  call->high = request.Get("high").ToNumber();
  operation->compute = [call](Team& team, const StopFlag& stop) {
    call->finished = scan(team, call->rows, call->low, call->high, stop, call->bad);
  };
  operation->result = [call](Napi::Env later) -> Napi::Value {
    if (!call->finished) throw cancelled(later);
    return call->bad.row < 0 ? later.Null() : bad_value(later, call->bad);
  };
  const int threads = threads_argument(request);
  return Environment::of(info.Env()).start(info.Env(), Priority::urgent, threads, std::move(operation));
}

Napi::Value run_covariance(const Napi::CallbackInfo& info) {
  const Napi::Object request = request_argument(info);
  auto operation = make_operation(request);
  struct Call {
    Rows rows;
    double *mean, *covariance;
    bool finished = false;
  };
  auto call = std::make_shared<Call>();
  call->rows = rows_argument(request.Get("rows").As<Napi::Object>(), operation->pins);
  const auto n = static_cast<std::size_t>(call->rows.cols);
  if (call->rows.count == 0) throw argument_error(info.Env(), "ERR_SHAPE", "rows: none");
  call->mean = doubles_argument(request, "mean", operation->pins, n);
  call->covariance = doubles_argument(request, "covariance", operation->pins, n * n);
  operation->compute = [call](Team& team, const StopFlag& stop) {
    call->finished = covariance(team, call->rows, call->mean, call->covariance, stop);
  };
  operation->result = [call](Napi::Env later) -> Napi::Value {
    if (!call->finished) throw cancelled(later);
    return later.Undefined();
  };
  const int threads = threads_argument(request);
  return Environment::of(info.Env()).start(info.Env(), Priority::normal, threads, std::move(operation));
}

Napi::Value run_eigen(const Napi::CallbackInfo& info) {
  const Napi::Object request = request_argument(info);
  auto operation = make_operation(request);
  struct Call {
    double *matrix, *values, *vectors;
    int n;
    bool finished = false;
  };
  auto call = std::make_shared<Call>();
  call->n = request.Get("n").ToNumber();
  if (call->n < 1) throw argument_error(info.Env(), "ERR_ARGUMENT", "n: expected at least 1");
  const auto n = static_cast<std::size_t>(call->n);
  call->matrix = doubles_argument(request, "matrix", operation->pins, n * n);
  call->vectors = doubles_argument(request, "vectors", operation->pins, n * n);
  call->values = doubles_argument(request, "values", operation->pins, n);
  operation->compute = [call](Team& team, const StopFlag& stop) {
    std::copy(call->matrix, call->matrix + static_cast<std::size_t>(call->n) * call->n, call->vectors);
    call->finished = symmetric_eigen(team, call->vectors, call->n, call->values, [&] { return stop.raised(); });
  };
  const StopFlag* stop = operation->stop.get();
  operation->result = [call, stop](Napi::Env later) -> Napi::Value {
    if (call->finished) return later.Undefined();
    if (stop->raised()) throw cancelled(later);
    throw argument_error(later, "ERR_RANGE", "matrix: expected finite numbers");
  };
  const int threads = threads_argument(request);
  return Environment::of(info.Env()).start(info.Env(), Priority::normal, threads, std::move(operation));
}

Napi::Value run_leading_directions(const Napi::CallbackInfo& info) {
  const Napi::Object request = request_argument(info);
  auto operation = make_operation(request);
  struct Call {
    Rows rows;
    LeadingDirections out;
    SubspaceEnd end = SubspaceEnd::stopped;
  };
  auto call = std::make_shared<Call>();
  call->rows = rows_argument(request.Get("rows").As<Napi::Object>(), operation->pins);
  call->out.count = request.Get("count").ToNumber();
  const int n = call->rows.cols, count = call->out.count;
  if (call->rows.count == 0) throw argument_error(info.Env(), "ERR_SHAPE", "rows: none");
  if (count < 1 || count > n / 2) throw argument_error(info.Env(), "ERR_ARGUMENT", "count: expected at most half of the columns");
  call->out.mean = doubles_argument(request, "mean", operation->pins, n);
  call->out.values = doubles_argument(request, "values", operation->pins, count);
  call->out.vectors = doubles_argument(request, "vectors", operation->pins, static_cast<std::size_t>(count) * n);
  operation->compute = [call](Team& team, const StopFlag& stop) {
    call->end = leading_directions(team, call->rows, call->out, stop);
  };
  const StopFlag* stop = operation->stop.get();
  operation->result = [call, stop](Napi::Env later) -> Napi::Value {
    if (call->end == SubspaceEnd::converged) return Napi::Number::New(later, call->out.total);
    if (stop->raised()) throw cancelled(later);
    if (call->end == SubspaceEnd::stalled) return later.Null();
    throw argument_error(later, "ERR_RANGE", "covariance: expected finite numbers");
  };
  const int threads = threads_argument(request);
  return Environment::of(info.Env()).start(info.Env(), Priority::normal, threads, std::move(operation));
}

}  // namespace layerwise

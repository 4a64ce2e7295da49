// The exports that take rows through a network: forward, forwardRow, evaluate.
#include <algorithm>
#include <cmath>
#include <limits>
#include <memory>
#include <optional>
#include <type_traits>

#include "exports.h"
#include "network/evaluation.h"
#include "network/forward.h"
#include "network/forward_row.h"
#include "worker.h"

namespace layerwise {
namespace {

constexpr const char* kResults[] = {"outputs", "squares", "errors", "classes"};

// State of one call, shared by the threads of a lane and the JavaScript thread; freed with the operation.
template <typename T>
struct ForwardCall {
  Network network;
  Rows rows;
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
  call->rows = rows_argument(request.Get("rows").As<Napi::Object>(), operation->pins);
  forward_request.result = choice<ForwardResult>(request, "result", kResults);
  const int rows = call->rows.count, outputs = call->network.outputs();
  const bool compares = forward_request.result == ForwardResult::squares || forward_request.result == ForwardResult::errors;
  if (parameters.length != call->network.parameters) throw argument_error(env, "ERR_SHAPE", "parameters: wrong length");
  if (call->rows.cols != call->network.inputs() || (compares && call->network.inputs() != outputs)) {
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
  forward_request.unscale = scaling_argument(request, "unscale", operation->pins, outputs);
  operation->compute = [call](Team& team, const StopFlag& stop) {
    check_places(call->rows);
    const auto source = make_source<T>(call->rows);
    source->until(&stop);
    call->request.rows = source.get();
    call->finished = forward(team, call->request, stop, call->bad);
    if (call->bad.row < 0) check_whole(*source);
  };
  operation->result = [call](Napi::Env later) -> Napi::Value {
    if (!call->finished) throw cancelled(later);
    if (call->bad.row >= 0) {
      Napi::Error error = argument_error(later, "ERR_RANGE", "a value that is not finite");
      put_place(error.Value(), call->bad, call->rows);
      error.Set("ofResults", Napi::Boolean::New(later, call->bad.of_results));
      throw error;
    }
    return later.Undefined();
  };
  const double flops = forward_flops(call->network, rows);
  const int threads = useful_threads(flops, threads_argument(request));
  return Environment::of(env).start(env, Lanes::of(flops), threads, std::move(operation));
}

template <typename T>
struct EvaluateCall {
  Network network;
  Objective objective;
  Rows rows;
  std::optional<FrozenLayers> frozen;
  const T* theta;
  T* gradient = nullptr;
  std::uint32_t* predicted = nullptr;
  double largest = 0;  // bound on the size of numbers in the rows; 0: not known
  CostParts parts;
  std::vector<double> mean_activation;
  bool finished = false;
  bool held = true;  // cost and gradient are finite

  void run(Team& team, const StopFlag& stop) {
    check_rows(network, objective, rows);
    const bool in_double = may_overflow();
    if (!in_double) evaluate(team, stop);
    if constexpr (std::is_same<T, float>::value) {
      if (in_double || (finished && !held)) evaluate_in_double(team, stop);
    }
  }

  // Whether sums before a bounded activation might overflow, which the cost would not show.
  bool may_overflow() const {
    double size = largest;
    for (const DenseLayer& layer : network.layers) {
      if (size == 0 || !std::is_same<T, float>::value) return false;
      const auto most = [](const T* x, std::size_t n) {
        T found = 0;
        for (std::size_t i = 0; i < n; i++) found = std::max(found, std::fabs(x[i]));
        return static_cast<double>(found);
      };
      const double of_biases = layer.has_biases ? most(theta + layer.biases_at, layer.outputs) : 0;
      size = size * layer.inputs * most(theta + layer.weights_at, layer.weight_count()) + of_biases;
      if (size >= std::numeric_limits<T>::max()) return true;
      size = traits_of(layer.activation).bounded() ? 1 : largest_output(layer.activation, size);
    }
    return false;
  }

  // The size of f on [-size, size], at most: all that are not bounded fall below 0 less than they rise above it, and rise to the
  // end.
  static double largest_output(Activation f, double size) {
    double ends[] = {-size, size};
    const double zeros[] = {0, 0};
    vector_kernels<double>().activate(f, {ends, 1, 2}, zeros, nullptr, {});
    return std::max(std::fabs(ends[0]), std::fabs(ends[1]));
  }

  // Everything in float64, rounded once.
  void evaluate_in_double(Team& team, const StopFlag& stop) {
    EvaluateCall<double> wide;
    wide.network = network;
    wide.objective = objective;
    wide.rows = rows;
    const std::vector<double> parameters(theta, theta + network.parameters);
    wide.theta = parameters.data();
    std::vector<double> before, slopes(gradient != nullptr ? network.parameters : 0);
    if (gradient != nullptr) wide.gradient = slopes.data();
    wide.predicted = predicted;
    if (frozen) {
      const T* given = static_cast<const T*>(frozen->theta);
      before.assign(given, given + frozen->network.parameters);
      wide.frozen = FrozenLayers{frozen->network, before.data()};
    }
    wide.evaluate(team, stop);
    finished = wide.finished;
    parts = wide.parts;
    mean_activation = wide.mean_activation;
    std::copy(slopes.begin(), slopes.end(), gradient);
    check_held();
  }

  void check_held() {
    held = std::isfinite(parts.total());
    if (gradient == nullptr) return;
    constexpr T limit = std::numeric_limits<T>::max();
    constexpr std::size_t kPart = 1 << 20;
    for (std::size_t at = 0; at < network.parameters && held; at += kPart) {
      const auto n = static_cast<int>(std::min(kPart, network.parameters - at));
      held = vector_kernels<T>().within({gradient + at, 1, n}, -limit, limit);
    }
  }

  void evaluate(Team& team, const StopFlag& stop) {
    const std::unique_ptr<RowSource<T>> source = make_source<T>(rows, frozen ? &*frozen : nullptr);
    source->until(&stop);
    Evaluator<T> evaluator(network, objective, rows.count, EvaluationMemory::beside(*source), false, source->is_indexed());
    const auto& kernels = vector_kernels<T>();
    typename Evaluator<T>::Request request;
    request.theta = theta;
    request.rows = source.get();
    request.count = rows.count;
    request.gradient = gradient;
    request.predicted = predicted;
    const typename Evaluator<T>::Sink add_decay = [&](int, const Plan::Tile& tile, T* made, std::size_t offset, std::size_t n) {
      const auto decay = static_cast<T>(objective.weight_decay[tile.layer]);
      if (tile.rows > 0 && decay != 0) kernels.add_decay(made, theta + offset, n, decay);
    };
    if (gradient != nullptr) request.sink = &add_decay;
    finished = evaluator.run(team, request, stop, parts);
    check_whole(*source);
    mean_activation = evaluator.mean_activation();
    check_held();
  }
};

template <typename T>
Napi::Value start_evaluate(const Napi::Object& request, std::unique_ptr<Operation> operation, const ArrayArgument& parameters) {
  const Napi::Env env = request.Env();
  auto call = std::make_shared<EvaluateCall<T>>();
  call->network = network_argument(request);
  call->objective = objective_argument(request, call->network);
  call->rows = rows_argument(request.Get("rows").As<Napi::Object>(), operation->pins);
  call->frozen = through_argument(request, operation->pins, is_double(parameters));
  call->theta = static_cast<const T*>(parameters.data);
  if (parameters.length != call->network.parameters) throw argument_error(env, "ERR_SHAPE", "parameters: wrong length");
  check_learnable(env, call->network, call->objective, call->rows, call->frozen);
  if (has(request, "gradient")) {
    const auto length = static_cast<std::int64_t>(call->network.parameters);
    const ArrayArgument gradient = array_argument(request, "gradient", operation->pins, length);
    if (gradient.type != parameters.type)
      throw argument_error(env, "ERR_ARGUMENT", "gradient: expected the type of the parameters");
    call->gradient = static_cast<T*>(gradient.data);
  }
  if (has(request, "predicted")) {
    const ArrayArgument predicted = array_argument(request, "predicted", operation->pins, call->rows.count);
    if (predicted.type != napi_uint32_array || call->objective.loss != Loss::log_loss)
      throw argument_error(env, "ERR_ARGUMENT", "predicted: expected a Uint32Array, with logLoss");
    call->predicted = static_cast<std::uint32_t*>(predicted.data);
  }
  if (has(request, "largest")) call->largest = number(request, "largest");
  operation->compute = [call](Team& team, const StopFlag& stop) { call->run(team, stop); };
  operation->result = [call](Napi::Env later) -> Napi::Value {
    if (!call->finished) throw cancelled(later);
    if (!call->held) throw argument_error(later, "ERR_RANGE", "cost or gradient is too large for the precision of the model");
    Napi::Object parts = Napi::Object::New(later);
    parts.Set("loss", call->parts.loss);
    parts.Set("weightDecay", call->parts.weight_decay);
    parts.Set("sparsity", call->parts.sparsity);
    parts.Set("correct", call->parts.correct);
    auto means = Napi::Float64Array::New(later, call->mean_activation.size());
    std::copy(call->mean_activation.begin(), call->mean_activation.end(), means.Data());
    parts.Set("meanActivation", means);
    return parts;
  };
  const double flops = 3 * forward_flops(call->network, call->rows.count);
  const int threads = useful_threads(flops, threads_argument(request));
  return Environment::of(env).start(env, Lanes::of(flops), threads, std::move(operation));
}

template <typename T>
RowEnd run_row(const Network& network, const ArrayArgument& parameters, const ArrayArgument& transposed, bool renew,
               const Rows& row, const ArrayArgument& out, double* error) {
  const T* theta = static_cast<const T*>(parameters.data);
  if (renew) transpose_first_layer(network, theta, static_cast<T*>(transposed.data));
  const auto source = make_source<T>(row);
  return forward_row(network, theta, static_cast<const T*>(transposed.data), *source, static_cast<T*>(out.data), error);
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
  if (shape.type != napi_int32_array || shape.length < 5 || shape.length % 4 != 1)
    throw argument_error(env, "ERR_SHAPE", "shape: no layers");
  const auto* sizes = static_cast<const std::int32_t*>(shape.data);
  Network network;
  for (std::size_t i = 1; i < shape.length; i += 4) {
    const int inputs = i == 1 ? sizes[0] : sizes[i - 4], outputs = sizes[i], activation = sizes[i + 1], tied = sizes[i + 3];
    if (inputs < 1 || outputs < 1 || activation < 0 || activation >= kActivationCount) {
      throw argument_error(env, "ERR_SHAPE", "shape: not a layer");
    }
    if (tied < 0) {
      network.add(inputs, outputs, static_cast<Activation>(activation), sizes[i + 2] != 0);
      continue;
    }
    const DenseLayer* owner = tied < network.depth() ? &network.layers[tied] : nullptr;
    if (owner == nullptr || owner->transposed || owner->inputs != outputs || owner->outputs != inputs) {
      throw argument_error(env, "ERR_SHAPE", "shape: not a tied layer");
    }
    network.add_tied(tied, static_cast<Activation>(activation), sizes[i + 2] != 0);
  }

  const auto width = static_cast<std::int64_t>(network.inputs());
  const ArrayArgument parameters = array_argument(env, info[1], "parameters", static_cast<std::int64_t>(network.parameters));
  const bool sparse = !info[10].IsUndefined();
  const ArrayArgument data = array_argument(env, info[2], "row", sparse ? -1 : width);
  const ArrayArgument out = array_argument(env, info[6], "out", network.outputs());
  if (out.type != parameters.type) throw argument_error(env, "ERR_ARGUMENT", "out: expected the type of the parameters");
  Rows row = rows_of(env, data, storage_numbered(env, info[3]), 1, network.inputs());
  row.scale = info[4].ToNumber();
  std::uint32_t starts[] = {0, static_cast<std::uint32_t>(data.length)};
  if (sparse) {
    ArrayArgument ends;
    ends.data = starts;
    ends.type = napi_uint32_array;
    put_indices(row, ends, array_argument(env, info[10], "columns", static_cast<std::int64_t>(data.length)), env);
  }
  if (!info[5].IsUndefined()) row.scaling = scaling_of(request_argument(info, 5), width);
  const auto weights = static_cast<std::int64_t>(network.layers.front().weight_count());
  const ArrayArgument transposed = array_argument(env, info[7], "transposed", weights);
  if (transposed.type != parameters.type)
    throw argument_error(env, "ERR_ARGUMENT", "transposed: expected the type of the parameters");
  const bool renew = info[8].ToBoolean();
  double* error = nullptr;
  if (!info[9].IsUndefined()) {
    const ArrayArgument errors = array_argument(env, info[9], "errors", 1);
    if (errors.type != napi_float64_array) throw argument_error(env, "ERR_ARGUMENT", "errors: expected a Float64Array");
    if (network.outputs() != network.inputs()) throw argument_error(env, "ERR_SHAPE", "row: wrong width");
    error = static_cast<double*>(errors.data);
  }
  const RowEnd end = is_double(parameters) ? run_row<double>(network, parameters, transposed, renew, row, out, error)
                                           : run_row<float>(network, parameters, transposed, renew, row, out, error);
  return Napi::Number::New(env, static_cast<int>(end));
}

Napi::Value run_evaluate(const Napi::CallbackInfo& info) {
  const Napi::Object request = request_argument(info);
  auto operation = make_operation(request);
  const ArrayArgument parameters = array_argument(request, "parameters", operation->pins);
  return is_double(parameters) ? start_evaluate<double>(request, std::move(operation), parameters)
                               : start_evaluate<float>(request, std::move(operation), parameters);
}

}  // namespace layerwise

// The exports that compute over rows or a matrix, without a network: scan, covariance, eigen, leadingDirections.
#include <algorithm>

#include "exports.h"
#include "linear/covariance.h"
#include "linear/eigen.h"
#include "linear/subspace.h"
#include "rows/scan.h"
#include "worker.h"

namespace layerwise {
namespace {

// Reading a number takes as long as this many operations of a product.
constexpr double kScanFlops = 60;

}  // namespace

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
    check_places(call->rows);
    const auto rows = make_source<double>(call->rows);
    rows->until(&stop);
    call->finished = scan(team, *rows, call->low, call->high, stop, call->bad);
  };
  operation->result = [call](Napi::Env later) -> Napi::Value {
    if (!call->finished) throw cancelled(later);
    if (call->bad.row < 0) return later.Null();
    Napi::Object place = Napi::Object::New(later);
    put_place(place, call->bad, call->rows);
    return place;
  };
  const int threads = threads_argument(request);
  const double work = kScanFlops * call->rows.count * call->rows.cols;
  return Environment::of(info.Env()).start(info.Env(), Lanes::of(work), threads, std::move(operation));
}

Napi::Value run_covariance(const Napi::CallbackInfo& info) {
  const Napi::Object request = request_argument(info);
  auto operation = make_operation(request);
  struct Call {
    Rows rows;
    double *mean, *covariance, scale = 1;
    bool finished = false;
  };
  auto call = std::make_shared<Call>();
  call->rows = rows_argument(request.Get("rows").As<Napi::Object>(), operation->pins);
  const auto n = static_cast<std::size_t>(call->rows.cols);
  if (call->rows.count == 0) throw argument_error(info.Env(), "ERR_SHAPE", "rows: none");
  call->mean = doubles_argument(request, "mean", operation->pins, n);
  call->covariance = doubles_argument(request, "covariance", operation->pins, n * n);
  operation->compute = [call](Team& team, const StopFlag& stop) {
    check_places(call->rows);
    const auto rows = make_source<double>(call->rows);
    rows->until(&stop);
    call->finished = covariance(team, *rows, call->mean, call->covariance, call->scale, stop);
    check_whole(*rows);
  };
  operation->result = [call](Napi::Env later) -> Napi::Value {
    if (!call->finished) throw cancelled(later);
    return Napi::Number::New(later, call->scale);
  };
  const int threads = threads_argument(request);
  return Environment::of(info.Env()).start(info.Env(), Lane::decomposition, threads, std::move(operation));
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
  return Environment::of(info.Env()).start(info.Env(), Lane::decomposition, threads, std::move(operation));
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
    check_places(call->rows);
    const auto rows = make_source<double>(call->rows);
    rows->until(&stop);
    call->end = leading_directions(team, *rows, call->out, stop);
    check_whole(*rows);
  };
  const StopFlag* stop = operation->stop.get();
  operation->result = [call, stop](Napi::Env later) -> Napi::Value {
    if (call->end == SubspaceEnd::converged) {
      Napi::Object found = Napi::Object::New(later);
      found.Set("total", call->out.total);
      found.Set("scale", call->out.scale);
      return found;
    }
    if (stop->raised()) throw cancelled(later);
    if (call->end == SubspaceEnd::stalled) return later.Null();
    throw argument_error(later, "ERR_RANGE", "covariance: expected finite numbers");
  };
  const int threads = threads_argument(request);
  return Environment::of(info.Env()).start(info.Env(), Lane::decomposition, threads, std::move(operation));
}

}  // namespace layerwise

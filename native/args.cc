#include "args.h"

#include <cmath>
#include <limits>
#include <utility>

namespace layerwise {
namespace {

constexpr const char* kLosses[] = {"squared", "euclidean", "absolute", "crossEntropy", "logLoss"};
constexpr const char* kPenalties[] = {"kl", "l2", "l1", "constraint"};
constexpr const char* kAverages[] = {"exact", "batch", "moving"};
constexpr const char* kShufflings[] = {"none", "rows", "blocks"};
constexpr const char* kCorruptions[] = {"masking", "gaussian", "saltAndPepper"};
constexpr const char* kConstraints[] = {"none", "frobenius", "unit"};
constexpr const char* kOptimizers[] = {"gradientDescent", "momentum", "adam", "lbfgs"};

// The activation of a layer, by its name in the table.
Activation activation_argument(const Napi::Object& layer) {
  const char* names[kActivationCount];
  for (int i = 0; i < kActivationCount; i++) names[i] = kActivationTable[i].name;
  return choice<Activation>(layer, "activation", names);
}

// Of each Storage. JavaScript hands float16 over as its bits: older versions of Node have no array of it.
constexpr napi_typedarray_type kArrayTypes[kStorageCount] = {
    napi_uint8_array, napi_int8_array,   napi_uint16_array, napi_int16_array,   napi_uint32_array,
    napi_int32_array, napi_uint16_array, napi_uint16_array, napi_float32_array, napi_float64_array,
};

Storage storage_argument(const Napi::Object& rows) {
  const char* names[kStorageCount];
  for (int i = 0; i < kStorageCount; i++) names[i] = kStorageTraits[i].name;
  return choice<Storage>(rows, "type", names);
}

// A whole number of at most 2^53, obj[name].
std::uint64_t whole(const Napi::Object& object, const char* name) {
  const double value = number(object, name);
  if (!(value >= 0 && value <= 9007199254740992.0) || std::trunc(value) != value)
    throw argument_error(object.Env(), "ERR_ARGUMENT", std::string(name) + ": expected a whole number");
  return static_cast<std::uint64_t>(value);
}

// "device:inode:size:nanoseconds" in decimal.
FileIdentity identity_argument(const Napi::Object& segment) {
  const std::string text = segment.Get("identity").ToString();
  std::uint64_t parts[4] = {};
  int part = 0;
  bool negative = false;
  for (const char c : text) {
    if (c == ':') {
      part++;
    } else if (c == '-' && part == 3) {
      negative = true;
    } else if (c >= '0' && c <= '9' && part < 4) {
      parts[part] = parts[part] * 10 + static_cast<std::uint64_t>(c - '0');
    } else {
      part = 4;
    }
  }
  if (part != 3) throw argument_error(segment.Env(), "ERR_ARGUMENT", "identity: expected dev:ino:size:mtimeNs");
  const auto modified = static_cast<std::int64_t>(parts[3]);
  return {parts[0], parts[1], parts[2], negative ? -modified : modified};
}

// rows.files; `rows` receives how many rows are in use.
std::shared_ptr<const RowFiles> files_argument(const Napi::Object& object, Rows& rows) {
  const Napi::Env env = object.Env();
  auto files = std::make_shared<RowFiles>();
  const Napi::Array segments = list(object, "segments");
  std::uint64_t total = 0;
  for (std::uint32_t i = 0; i < segments.Length(); i++) {
    const Napi::HandleScope scope(env);
    const auto segment = segments.Get(i).As<Napi::Object>();
    const std::uint64_t count = whole(segment, "rows");
    total += count;
    if (total > static_cast<std::uint64_t>(rows.stored)) break;
    files->segments.push_back({segment.Get("path").ToString(), whole(segment, "offset"), static_cast<std::uint32_t>(count),
                               identity_argument(segment)});
  }
  if (total != static_cast<std::uint64_t>(rows.stored)) throw argument_error(env, "ERR_SHAPE", "segments: expected all rows");
  if (has(object, "ranges")) {
    const std::vector<double> ends = doubles_copy(object, "ranges");
    std::vector<RowRanges::Range> ranges;
    double least = 0;
    for (std::size_t i = 0; i + 1 < ends.size(); i += 2) {
      const double begin = ends[i], end = ends[i + 1];
      if (!(begin >= least && end > begin && end <= rows.stored) || std::trunc(begin) != begin || std::trunc(end) != end)
        throw argument_error(env, "ERR_SHAPE", "ranges: expected rising ranges of rows");
      ranges.emplace_back(static_cast<std::uint32_t>(begin), static_cast<std::uint32_t>(end));
      least = end;
    }
    if (ends.size() % 2 != 0) throw argument_error(env, "ERR_SHAPE", "ranges: expected pairs");
    files->ranges.emplace(ranges);
    rows.count = static_cast<int>(files->ranges->count());
  }
  if (has(object, "within")) {
    const Napi::Array within = list(object, "within");
    files->within = RowFiles::Within{within.Get(0u).ToNumber(), within.Get(1u).ToNumber()};
  }
  return files;
}

}  // namespace

Napi::Object request_argument(const Napi::CallbackInfo& info, std::size_t index) {
  if (!info[index].IsObject()) throw argument_error(info.Env(), "ERR_ARGUMENT", "request: expected an object");
  return info[index].As<Napi::Object>();
}

Network network_argument(const Napi::Object& request) {
  const Napi::Array layers = list(request, "layers");
  const Napi::Env env = request.Env();
  Network network;
  for (std::uint32_t i = 0; i < layers.Length(); i++) {
    const Napi::Value value = layers.Get(i);
    if (!value.IsObject()) throw argument_error(env, "ERR_ARGUMENT", "layers: expected objects");
    const auto layer = value.As<Napi::Object>();
    const int inputs = integer(layer, "inputs", 1), outputs = integer(layer, "outputs", 1);
    if (i > 0 && network.outputs() != inputs) throw argument_error(env, "ERR_SHAPE", "layers: widths do not meet");
    const auto activation = activation_argument(layer);
    if (activation == Activation::softmax && i + 1 != layers.Length())
      throw argument_error(env, "ERR_SHAPE", "layers: softmax comes last");
    const bool biases = !has(layer, "biases") || layer.Get("biases").ToBoolean();
    if (!has(layer, "tied")) {
      network.add(inputs, outputs, activation, biases, has(layer, "transposed") && layer.Get("transposed").ToBoolean());
      continue;
    }
    const int source = integer(layer, "tied", 0);
    if (source >= static_cast<int>(i) || !network.layers[source].owns_weights() || network.layers[source].transposed ||
        network.layers[source].outputs != inputs || network.layers[source].inputs != outputs) {
      throw argument_error(env, "ERR_SHAPE", "layers: tied to no such matrix");
    }
    network.add_tied(source, activation, biases);
  }
  if (network.layers.empty()) throw argument_error(env, "ERR_SHAPE", "layers: none");
  return network;
}

Objective objective_argument(const Napi::Object& request, const Network& network) {
  const Napi::Object object = child(request, "objective");
  const Napi::Env env = request.Env();
  Objective objective;
  objective.loss = choice<Loss>(object, "loss", kLosses);
  const Napi::Array decay = list(object, "weightDecay");
  for (std::uint32_t i = 0; i < decay.Length(); i++)
    objective.weight_decay.push_back(decay.Get(i).As<Napi::Number>().DoubleValue());
  if (objective.weight_decay.size() != network.layers.size())
    throw argument_error(env, "ERR_SHAPE", "weightDecay: one for each layer");
  const bool labelled = objective.loss == Loss::log_loss;
  if (labelled != (network.layers.back().activation == Activation::softmax))
    throw argument_error(env, "ERR_ARGUMENT", "loss: logLoss and softmax go together");
  if (!labelled && network.outputs() != network.inputs())
    throw argument_error(env, "ERR_SHAPE", "layers: outputs must match the rows they rebuild");
  for (const DenseLayer& layer : network.layers) {
    if (layer.transposed && layer.owns_weights()) throw argument_error(env, "ERR_ARGUMENT", "transposed: forward only");
  }
  if (has(object, "classWeights")) objective.class_weights = doubles_copy(object, "classWeights", network.outputs());
  const Napi::Array penalties = list(object, "penalties");
  std::vector<bool> taken(network.layers.size(), false);
  for (std::uint32_t i = 0; i < penalties.Length(); i++) {
    const auto item = penalties.Get(i).As<Napi::Object>();
    const int layer = integer(item, "layer", 0);
    if (layer + 1 >= network.depth() || taken[layer])
      throw argument_error(env, "ERR_ARGUMENT", "penalties: one for each hidden layer at most");
    taken[layer] = true;
    Penalty penalty{layer, choice<PenaltyKind>(item, "kind", kPenalties), 0, number(item, "weight"),
                    choice<Average>(item, "average", kAverages)};
    if (item.Get("target").IsNumber()) {
      penalty.target = number(item, "target");
    } else {
      penalty.targets = doubles_copy(item, "target", network.layers[layer].outputs);
    }
    if (penalty.kind == PenaltyKind::constraint && layer != 0)
      throw argument_error(env, "ERR_ARGUMENT", "penalties: a constraint is for the first layer");
    objective.penalties.push_back(std::move(penalty));
  }
  return objective;
}

Rows rows_of(Napi::Env env, const ArrayArgument& data, Storage storage, int rows, int cols) {
  if (data.type != kArrayTypes[static_cast<int>(storage)])
    throw argument_error(env, "ERR_ARGUMENT", std::string("data: expected the array of ") + traits_of(storage).name);
  Rows result;
  result.data = data.data;
  result.storage = storage;
  result.count = rows;
  result.cols = cols;
  return result;
}

Storage storage_numbered(Napi::Env env, const Napi::Value& number) {
  const int storage = number.ToNumber().Int32Value();
  if (storage < 0 || storage >= kStorageCount) throw argument_error(env, "ERR_ARGUMENT", "type: unknown");
  return static_cast<Storage>(storage);
}

void put_indices(Rows& rows, const ArrayArgument& starts, const ArrayArgument& columns, Napi::Env env) {
  if (starts.type != napi_uint32_array || columns.type != napi_uint32_array)
    throw argument_error(env, "ERR_ARGUMENT", "indptr, indices: expected a Uint32Array");
  if (rows.storage != Storage::f32 && rows.storage != Storage::f64)
    throw argument_error(env, "ERR_ARGUMENT", "data: expected floats of 32 or 64 bits");
  rows.starts = static_cast<const std::uint32_t*>(starts.data);
  rows.columns = static_cast<const std::uint32_t*>(columns.data);
  rows.elements = columns.length;
}

ColumnScaling scaling_of(const Napi::Object& object, std::size_t cols) {
  ColumnScaling scaling;
  scaling.shift = doubles_argument(object, "shift", cols);
  scaling.factor = doubles_argument(object, "factor", cols);
  if (has(object, "centre")) scaling.centre = doubles_argument(object, "centre", cols);
  if (has(object, "clipped")) {
    const Napi::Array range = list(object, "clipped");
    scaling.low = range.Get(0u).ToNumber();
    scaling.high = range.Get(1u).ToNumber();
  }
  return scaling;
}

ColumnScaling scaling_argument(const Napi::Object& owner, const char* name, Pins& pins, std::size_t cols) {
  if (!has(owner, name)) return {};
  const Napi::Object object = child(owner, name);
  for (const char* array : {"shift", "factor", "centre"}) {
    if (has(object, array)) pins.add(object.Get(array));
  }
  return scaling_of(object, cols);
}

Rows rows_argument(const Napi::Object& object, Pins& pins) {
  const Napi::Env env = object.Env();
  const ArrayArgument data = array_argument(object, "data", pins);
  const int available = integer(object, "rows", 0);
  // So that the core can count blocks with an int.
  if (available > 1 << 30 && !has(object, "files")) throw argument_error(env, "ERR_SHAPE", "rows: more than 2^30");
  Rows rows = rows_of(env, data, storage_argument(object), available, integer(object, "cols", 1));
  rows.stored = available;
  rows.scale = number(object, "scale");
  if (has(object, "files")) {
    if (data.length != 0 || has(object, "sparse") || has(object, "order"))
      throw argument_error(env, "ERR_ARGUMENT", "files: expected no data, sparse or order beside them");
    rows.data = nullptr;
    rows.files = files_argument(child(object, "files"), rows);
  } else if (has(object, "sparse")) {
    const Napi::Object sparse = child(object, "sparse");
    put_indices(rows, array_argument(sparse, "indptr", pins, std::int64_t{available} + 1),
                array_argument(sparse, "indices", pins, static_cast<std::int64_t>(data.length)), env);
  } else if (data.length != static_cast<std::size_t>(available) * static_cast<std::size_t>(rows.cols)) {
    throw argument_error(env, "ERR_SHAPE",
                         "data: " + std::to_string(data.length) + " numbers are not " + std::to_string(available) + " × " +
                             std::to_string(rows.cols));
  }
  if (has(object, "order")) {
    const ArrayArgument order = array_argument(object, "order", pins);
    if (order.type != napi_uint32_array) throw argument_error(env, "ERR_ARGUMENT", "order: expected a Uint32Array");
    rows.order = static_cast<const std::uint32_t*>(order.data);
    if (order.length > static_cast<std::size_t>(std::numeric_limits<int>::max())) {
      throw argument_error(env, "ERR_SHAPE", "order: too long");
    }
    rows.count = static_cast<int>(order.length);
  }
  if (has(object, "labels")) {
    const ArrayArgument labels = array_argument(object, "labels", pins, available);
    if (labels.type != napi_uint32_array) throw argument_error(env, "ERR_ARGUMENT", "labels: expected a Uint32Array");
    rows.labels = static_cast<const std::uint32_t*>(labels.data);
  }
  if (has(object, "weights")) rows.weights = doubles_argument(object, "weights", pins, available);
  rows.scaling = scaling_argument(object, "scaling", pins, rows.cols);
  return rows;
}

std::optional<FrozenLayers> through_argument(const Napi::Object& request, Pins& pins, bool in_double) {
  const Napi::Object rows = child(request, "rows");
  if (!has(rows, "through")) return std::nullopt;
  const Napi::Object object = child(rows, "through");
  FrozenLayers frozen{network_argument(object)};
  const ArrayArgument theta = array_argument(object, "parameters", pins, static_cast<std::int64_t>(frozen.network.parameters));
  if (is_double(theta) != in_double) throw argument_error(request.Env(), "ERR_ARGUMENT", "through: expected one precision");
  if (frozen.network.layers.back().activation == Activation::softmax)
    throw argument_error(request.Env(), "ERR_ARGUMENT", "through: expected no softmax");
  frozen.theta = theta.data;
  return frozen;
}

void check_learnable(Napi::Env env, const Network& network, const Objective& objective, const Rows& rows,
                     const std::optional<FrozenLayers>& frozen) {
  const int inputs = frozen ? frozen->network.inputs() : network.inputs();
  if (rows.cols != inputs || rows.count == 0) throw argument_error(env, "ERR_SHAPE", "rows: wrong shape");
  if (frozen && frozen->network.outputs() != network.inputs())
    throw argument_error(env, "ERR_SHAPE", "through: widths do not meet");
  if (objective.loss != Loss::log_loss) return;
  if (rows.labels == nullptr) throw argument_error(env, "ERR_ARGUMENT", "labels: none");
}

void check_rows(const Network& network, const Objective& objective, const Rows& rows) {
  check_places(rows);
  if (objective.loss == Loss::log_loss) check_labels(rows, static_cast<std::uint32_t>(network.outputs()));
}

TrainingOptions training_argument(const Napi::Object& request) {
  const Napi::Object object = child(request, "optimizer");
  TrainingOptions options;
  auto& optimizer = options.optimizer;
  optimizer.kind = choice<OptimizerOptions::Kind>(object, "kind", kOptimizers);
  if (optimizer.kind == OptimizerOptions::Kind::momentum) optimizer.momentum = number(object, "momentum");
  if (optimizer.kind == OptimizerOptions::Kind::adam) {
    optimizer.beta1 = number(object, "beta1");
    optimizer.beta2 = number(object, "beta2");
    optimizer.epsilon = number(object, "epsilon");
  }
  if (optimizer.kind == OptimizerOptions::Kind::lbfgs) {
    optimizer.history = integer(object, "history", 1);
    optimizer.tolerance = number(object, "tolerance");
  }
  options.batch_size = integer(request, "batchSize", 0);
  options.shuffle = choice<Shuffling>(request, "shuffle", kShufflings);
  if (has(request, "windowBytes")) options.window_bytes = static_cast<std::size_t>(number(request, "windowBytes"));
  options.seed = static_cast<std::uint64_t>(number(request, "seed"));
  options.fit = static_cast<std::uint32_t>(integer(request, "fit", 0));
  options.fused = request.Get("form").ToString().Utf8Value() != "split";
  if (has(request, "corruption")) {
    const Napi::Object corruption = child(request, "corruption");
    options.corruption = Corruption{choice<Corruption::Kind>(corruption, "kind", kCorruptions), number(corruption, "amount"),
                                    number(corruption, "low"), number(corruption, "high")};
  }
  if (has(request, "weightConstraint")) {
    const Napi::Object constraint = child(request, "weightConstraint");
    options.weight_constraint = {choice<WeightConstraint::Kind>(constraint, "kind", kConstraints), number(constraint, "max")};
    if (optimizer.kind == OptimizerOptions::Kind::lbfgs)
      throw argument_error(request.Env(), "ERR_ARGUMENT", "weightConstraint: not with lbfgs");
  }
  if (has(request, "clipNorm")) {
    options.clip_norm = number(request, "clipNorm");
    if (optimizer.kind == OptimizerOptions::Kind::lbfgs)
      throw argument_error(request.Env(), "ERR_ARGUMENT", "clipNorm: not with lbfgs");
  }
  if (optimizer.kind == OptimizerOptions::Kind::lbfgs && options.batch_size != 0) {
    throw argument_error(request.Env(), "ERR_ARGUMENT", "batchSize: lbfgs takes all rows");
  }
  return options;
}

void put_place(Napi::Object object, const FirstBadRow& bad, const Rows& rows) {
  const std::uint32_t row = rows.files && rows.files->ranges ? rows.files->ranges->row(static_cast<std::uint32_t>(bad.row))
                                                             : static_cast<std::uint32_t>(bad.row);
  object.Set("row", row);
  object.Set("column", bad.column);
  object.Set("value", bad.value);
  if (const char* fault = fault_name(bad)) object.Set("fault", fault);
  if (rows.files) object.Set("file", rows.files->path_of(row));
}

const char* fault_name(const FirstBadRow& bad) {
  switch (bad.fault) {
    case FirstBadRow::Fault::index:
      return "index";
    case FirstBadRow::Fault::starts:
      return "starts";
    case FirstBadRow::Fault::value:
      break;
  }
  return nullptr;
}

int threads_argument(const Napi::Object& request) { return integer(request, "threads", 1); }

std::int32_t* flags_argument(const Napi::Object& request, Pins& pins) {
  const ArrayArgument flags = array_argument(request, "flags", pins, 2);
  if (flags.type != napi_int32_array) throw argument_error(request.Env(), "ERR_ARGUMENT", "flags: expected an Int32Array");
  return static_cast<std::int32_t*>(flags.data);
}

}  // namespace layerwise

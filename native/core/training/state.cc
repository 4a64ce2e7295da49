#include "training/state.h"

#include <algorithm>
#include <stdexcept>

namespace layerwise {

namespace {

[[noreturn]] void refuse(const std::string& name, const std::string& what) {
  throw std::invalid_argument("training state: '" + name + "' " + what);
}

}  // namespace

template <typename T>
void TrainingState::vector(std::string name, std::vector<T> values) {
  const auto owner = std::make_shared<const std::vector<T>>(std::move(values));
  add(std::move(name), StateVector<T>{std::shared_ptr<const T>(owner, owner->data()), owner->size()});
}

StateReader::StateReader(const TrainingState& state) : state_(state), taken_(state.entries().size()) {}

const TrainingState::Value& StateReader::take(const std::string& name) {
  const auto& entries = state_.entries();
  for (std::size_t i = 0; i < entries.size(); i++) {
    if (taken_[i] || entries[i].name != name) continue;
    taken_[i] = true;
    return entries[i].value;
  }
  refuse(name, "is missing");
}

std::int64_t StateReader::integer(const std::string& name, std::int64_t least, std::int64_t most) {
  const auto* value = std::get_if<std::int64_t>(&take(name));
  if (value == nullptr) refuse(name, "is not an integer");
  if (*value < least || *value > most) refuse(name, "is out of range: " + std::to_string(*value));
  return *value;
}

template <typename T>
const T* StateReader::vector(const std::string& name, std::size_t size) {
  const auto* value = std::get_if<StateVector<T>>(&take(name));
  if (value == nullptr) refuse(name, sizeof(T) == sizeof(float) ? "is not a float32 vector" : "is not a float64 vector");
  if (value->size != size) {
    refuse(name, "has " + std::to_string(value->size) + " numbers instead of " + std::to_string(size));
  }
  return value->data.get();
}

template <typename T>
void StateReader::copy(const std::string& name, T* out, std::size_t size) {
  const T* from = vector<T>(name, size);
  std::copy(from, from + size, out);
}

void StateReader::finish() const {
  const auto extra = std::find(taken_.begin(), taken_.end(), false);
  if (extra != taken_.end()) refuse(state_.entries()[static_cast<std::size_t>(extra - taken_.begin())].name, "is unknown");
}

template void TrainingState::vector(std::string, std::vector<float>);
template void TrainingState::vector(std::string, std::vector<double>);
template const float* StateReader::vector(const std::string&, std::size_t);
template const double* StateReader::vector(const std::string&, std::size_t);
template void StateReader::copy(const std::string&, float*, std::size_t);
template void StateReader::copy(const std::string&, double*, std::size_t);

}  // namespace layerwise

#pragma once
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace layerwise {

// [size] numbers that are not written any more: in memory that `data` owns, or in somebody else's, which outlives the state.
template <typename T>
struct StateVector {
  std::shared_ptr<const T> data;
  std::size_t size = 0;
};

// What a training job is at a step, beside its options and rows: named vectors and integers. What follows from options, rows and
// these (orders of rows, noise, plans) is not in it.
class TrainingState {
 public:
  using Value = std::variant<StateVector<float>, StateVector<double>, std::int64_t>;
  struct Entry {
    std::string name;
    Value value;
  };

  // A name is added once.
  void add(std::string name, Value value) { entries_.push_back({std::move(name), std::move(value)}); }
  void integer(std::string name, std::int64_t value) { add(std::move(name), value); }
  template <typename T>
  void vector(std::string name, std::vector<T> values);
  // A copy.
  template <typename T>
  void vector(std::string name, const T* values, std::size_t size) {
    vector(std::move(name), std::vector<T>(values, values + size));
  }
  void number(std::string name, double value) { vector(std::move(name), std::vector<double>{value}); }

  // In the order in which they were added.
  const std::vector<Entry>& entries() const { return entries_; }

 private:
  std::vector<Entry> entries_;
};

// Takes a state apart entry by entry. Every function throws std::invalid_argument where the state does not fit.
class StateReader {
 public:
  // The state must outlive the reader.
  explicit StateReader(const TrainingState& state);

  // From `least` to `most`, both included.
  std::int64_t integer(const std::string& name, std::int64_t least, std::int64_t most);
  std::int64_t count(const std::string& name) { return integer(name, 0, std::numeric_limits<std::int64_t>::max()); }
  bool flag(const std::string& name) { return integer(name, 0, 1) != 0; }
  double number(const std::string& name) { return *vector<double>(name, 1); }
  // Exactly `size` of them.
  template <typename T>
  const T* vector(const std::string& name, std::size_t size);
  template <typename T>
  void copy(const std::string& name, T* out, std::size_t size);

  // To be called last: every entry must have been read.
  void finish() const;

 private:
  const TrainingState::Value& take(const std::string& name);

  const TrainingState& state_;
  std::vector<bool> taken_;  // [entries]
};

}  // namespace layerwise

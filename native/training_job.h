#pragma once
#include <napi.h>

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>
#include <utility>

#include "network/frozen_rows.h"
#include "training/job/job.h"
#include "training/state.h"
#include "worker.h"

namespace layerwise {

// The core's job and the rows that it learns from.
template <typename T>
struct JobOverRows {
  JobOverRows(std::unique_ptr<RowSource<T>> source, const Network& network, const Objective& objective,
              const TrainingOptions& options, const T* initial)
      : rows(std::move(source)),
        job(network, objective, options, initial, rows->count(), EvaluationMemory::beside(*rows), rows->is_indexed()) {}

  std::unique_ptr<RowSource<T>> rows;
  TrainingJob<T> job;
};

// Owned by the handle that JavaScript holds. The core's job is made in the first span, off the JavaScript thread.
struct Training {
  Network network;
  Objective objective;
  TrainingOptions options;
  bool in_double = false;
  int spans = 0;  // that are not settled yet
  bool closed = false;
  std::atomic<bool> computing{false};                  // a span is being computed
  int round = 0;                                       // of the last span
  std::chrono::steady_clock::time_point rested_since;  // set on the training lane
  Rows rows;                                           // of arrays that `pins` holds, as is `initial`
  std::optional<FrozenLayers> frozen;                  // that the rows go through first
  const void* initial = nullptr;
  std::optional<TrainingState> state;  // where it goes on from, until the job is made
  std::unique_ptr<Pins> pins;
  std::unique_ptr<JobOverRows<float>> in_float32;
  std::unique_ptr<JobOverRows<double>> in_float64;

  template <typename T>
  std::unique_ptr<JobOverRows<T>>& job();

  // The parameters of the last complete step; false if there is none, or they are not finite.
  template <typename T>
  bool copy_parameters(void* out);

  // Frees its memory when no span uses it any more.
  void release(Environment& environment);
};

template <>
inline std::unique_ptr<JobOverRows<float>>& Training::job<float>() {
  return in_float32;
}
template <>
inline std::unique_ptr<JobOverRows<double>>& Training::job<double>() {
  return in_float64;
}

// Of the handle that is the first argument.
Training& training_of(const Napi::CallbackInfo& info);

}  // namespace layerwise

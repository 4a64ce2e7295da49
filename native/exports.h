#pragma once
#include <napi.h>

namespace layerwise {

// The functions of lib/native/binding.ts, by subject.
Napi::Value uniform_numbers(const Napi::CallbackInfo& info);
Napi::Value shuffle_part(const Napi::CallbackInfo& info);
Napi::Value prepare_rows(const Napi::CallbackInfo& info);
Napi::Value runtime(const Napi::CallbackInfo& info);

Napi::Value run_forward(const Napi::CallbackInfo& info);
Napi::Value run_forward_row(const Napi::CallbackInfo& info);
Napi::Value run_evaluate(const Napi::CallbackInfo& info);
Napi::Value run_scan(const Napi::CallbackInfo& info);
Napi::Value run_covariance(const Napi::CallbackInfo& info);
Napi::Value run_eigen(const Napi::CallbackInfo& info);
Napi::Value run_leading_directions(const Napi::CallbackInfo& info);

Napi::Value checksum(const Napi::CallbackInfo& info);
Napi::Value extremes(const Napi::CallbackInfo& info);
Napi::Value lock_file(const Napi::CallbackInfo& info);
Napi::Value unlock_file(const Napi::CallbackInfo& info);

Napi::Value open_training(const Napi::CallbackInfo& info);
Napi::Value train_span(const Napi::CallbackInfo& info);
Napi::Value close_training(const Napi::CallbackInfo& info);

}  // namespace layerwise

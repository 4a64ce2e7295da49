#pragma once
#include <memory>

#include "fields.h"
#include "network/forward.h"
#include "network/objective.h"
#include "training/training.h"

// What the requests of lib/native/binding.ts mean to the core.
namespace layerwise {

// The object that a call is given as its argument `index`.
Napi::Object request_argument(const Napi::CallbackInfo& info, std::size_t index = 0);

Network network_argument(const Napi::Object& request);
Objective objective_argument(const Napi::Object& request, const Network& network);
// Whether `order` names rows is left to the threads that compute: check_places.
Rows rows_argument(const Napi::Object& rows, Pins& pins);
// A scaling over arrays that its owner keeps alive; and owner[name], if it is there, with its arrays pinned.
ColumnScaling scaling_of(const Napi::Object& scaling, std::size_t cols);
ColumnScaling scaling_argument(const Napi::Object& owner, const char* name, Pins& pins, std::size_t cols);
// So many rows over data of a type that rows may have.
Rows rows_of(Napi::Env env, const ArrayArgument& data, int rows, int cols);
// rows.through, if it is there; its parameters are pinned. The caller keeps it as long as the rows that point to it.
std::unique_ptr<Through> through_argument(const Napi::Object& request, Pins& pins, bool in_double);
// That these rows, with their labels, are what the network learns from.
void check_learnable(Napi::Env env, const Network& network, const Objective& objective, const Rows& rows);
// What that leaves to the threads that compute: that the order names rows and the labels classes. Throws std::out_of_range.
void check_rows(const Network& network, const Objective& objective, const Rows& rows);
TrainingOptions training_argument(const Napi::Object& request);

int threads_argument(const Napi::Object& request);
std::int32_t* flags_argument(const Napi::Object& request, Pins& pins);

}  // namespace layerwise

#pragma once
#include <optional>

#include "fields.h"
#include "network/frozen_rows.h"
#include "network/objective.h"
#include "rows/memory_rows.h"
#include "training/job/job.h"

// Converts the requests of lib/native/binding.ts to types of the core.
namespace layerwise {

// The object that a call is given as its argument `index`.
Napi::Object request_argument(const Napi::CallbackInfo& info, std::size_t index = 0);

Network network_argument(const Napi::Object& request);
Objective objective_argument(const Napi::Object& request, const Network& network);
// The values of `order` are checked later on the computing threads: check_places.
Rows rows_argument(const Napi::Object& rows, Pins& pins);
// A scaling over arrays that its owner keeps alive; the second form reads owner[name], if present, and pins its arrays.
ColumnScaling scaling_of(const Napi::Object& scaling, std::size_t cols);
ColumnScaling scaling_argument(const Napi::Object& owner, const char* name, Pins& pins, std::size_t cols);
// So many rows over data that are the array of this storage.
Rows rows_of(Napi::Env env, const ArrayArgument& data, Storage storage, int rows, int cols);
// The place of a storage in the list of them.
Storage storage_numbered(Napi::Env env, const Napi::Value& number);
// Makes rows over stored values sparse.
void put_indices(Rows& rows, const ArrayArgument& starts, const ArrayArgument& columns, Napi::Env env);
// rows.through, if present; its parameters are pinned.
std::optional<FrozenLayers> through_argument(const Napi::Object& request, Pins& pins, bool in_double);
// Checks that these rows and their labels fit the network, behind the frozen layers if there are any.
void check_learnable(Napi::Env env, const Network& network, const Objective& objective, const Rows& rows,
                     const std::optional<FrozenLayers>& frozen);
// The checks left to the computing threads: `order` contains row numbers, labels are classes. Throws std::out_of_range.
void check_rows(const Network& network, const Objective& objective, const Rows& rows);
// Sets row, column, value, fault and file of a bad place in rows.
void put_place(Napi::Object object, const FirstBadRow& bad, const Rows& rows);
// The name of what is wrong with a row, as JavaScript knows it; null: its value.
const char* fault_name(const FirstBadRow& bad);
TrainingOptions training_argument(const Napi::Object& request);

int threads_argument(const Napi::Object& request);
std::int32_t* flags_argument(const Napi::Object& request, Pins& pins);

}  // namespace layerwise

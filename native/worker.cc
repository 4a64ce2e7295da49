#include "worker.h"

#include <algorithm>
#include <cstdlib>
#include <new>
#include <system_error>
#include <vector>

#include "rows/bad_row.h"
#include "rows/file_error.h"

namespace layerwise {
namespace {

// State of the process: its threads, started at first use and joined when the last environment ends (the addon may then be
// unloaded), and the live environments.
struct Process {
  std::mutex mutex;
  std::weak_ptr<Lanes> lanes;
  std::vector<Environment*> environments;
};

Process& process();

// exit() unloads OpenBLAS, which frees its buffers, and process.exit() comes here without the environment's cleanup, so all
// computations must end first. Runs on the main thread, after all workers have ended.
[[maybe_unused]] void rest_before_exit() {
  for (Environment* environment : process().environments) environment->rest();
}

Process& process() {
  static Process once;
#if !defined(_WIN32)
  // On Windows this would run after the threads have been ended. Registered after `once` was constructed, so it runs before its
  // destruction.
  static const int registered = std::atexit(rest_before_exit);
  (void)registered;
#endif
  return once;
}

std::shared_ptr<Lanes> shared_lanes() {
  std::lock_guard<std::mutex> lock(process().mutex);
  std::shared_ptr<Lanes> shared = process().lanes.lock();
  if (!shared) {
    shared = std::make_shared<Lanes>();
    process().lanes = shared;
  }
  return shared;
}

// What the exception that is being handled says.
Operation::Failure failure_of_exception() {
  Operation::Failure failure;
  try {
    throw;
  } catch (const std::bad_alloc&) {
    failure.code = "ERR_MEMORY";
    failure.message = "not enough memory for this computation";
  } catch (const BrokenRow& error) {
    failure.code = "ERR_RANGE";
    failure.message = error.what();
  } catch (const FileError& error) {
    failure.code = "ERR_FILE";
    failure.message = error.what();
    failure.file = error.file();
    failure.row = static_cast<double>(error.row());
    failure.error_name = error.error_name();
  } catch (const BadValue& error) {
    failure.code = "ERR_RANGE";
    failure.message = error.what();
    failure.file = error.file();
    failure.row = static_cast<double>(error.row());
    failure.of_value = true;
    failure.column = error.column();
    failure.value = error.value();
  } catch (const std::exception& error) {
    failure.code = "ERR_STATE";
    failure.message = error.what();
  }
  return failure;
}

Napi::Error error_of(Napi::Env env, const Operation::Failure& failure) {
  Napi::Error error = argument_error(env, failure.code, failure.message);
  Napi::Object object = error.Value();
  if (!failure.file.empty()) object.Set("file", failure.file);
  if (failure.row >= 0) object.Set("row", failure.row);
  if (failure.error_name != nullptr) object.Set("errno", failure.error_name);
  if (!failure.of_value) return error;
  object.Set("column", failure.column);
  object.Set("value", failure.value);
  return error;
}

}  // namespace

std::unique_ptr<Operation> make_operation(const Napi::Object& request) {
  auto operation = std::make_unique<Operation>(request.Env());
  operation->stop = std::make_unique<StopFlag>(flags_argument(request, operation->pins));
  return operation;
}

Napi::Error cancelled(Napi::Env env) { return argument_error(env, "CANCELLED", "cancelled"); }

Environment::Environment(Napi::Env env) : env_(env) {
  const napi_value name = Napi::String::New(env, "layerwise");
  const auto deliver = [](napi_env raw, napi_value, void* context, void* data) {
    // Without an environment the queue is being emptied at shutdown; close() has already dropped the operations.
    if (raw == nullptr) return;
    // A worker that is being terminated runs no more JavaScript, so the promise is not settled.
    try {
      Napi::HandleScope scope(raw);
      static_cast<Environment*>(context)->settle(Napi::Env(raw),
                                                 static_cast<std::uint64_t>(reinterpret_cast<std::uintptr_t>(data)));
    } catch (const Napi::Error&) {
    }
  };
  napi_create_threadsafe_function(env, nullptr, nullptr, name, 0, 1, nullptr, nullptr, this, deliver, &settled_);
  napi_unref_threadsafe_function(env, settled_);
  // Registered after the function above was created, so that it runs before its destruction.
  napi_add_env_cleanup_hook(env, close, this);
  std::lock_guard<std::mutex> lock(process().mutex);
  process().environments.push_back(this);
}

Environment::~Environment() = default;

void Environment::rest() {
  for (auto& entry : operations_) entry.second->stop->abandon();
  std::unique_lock<std::mutex> lock(mutex_);
  rested_.wait(lock, [&] { return running_ == 0; });
}

// The environment is ending: its operations end, and its use of the threads is released.
void Environment::close(void* self) {
  auto& environment = *static_cast<Environment*>(self);
  environment.rest();
  {
    std::lock_guard<std::mutex> lock(process().mutex);
    auto& all = process().environments;
    all.erase(std::remove(all.begin(), all.end(), &environment), all.end());
  }
  environment.operations_.clear();
  environment.lanes_.reset();
  napi_release_threadsafe_function(environment.settled_, napi_tsfn_abort);
}

Napi::Value Environment::start(Napi::Env env, Lane lane, int threads, std::unique_ptr<Operation> operation) {
  if (!lanes_) lanes_ = shared_lanes();
  const std::uint64_t id = next_id_++;
  Operation* running = operation.get();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    running_++;
  }
  try {
    (*lanes_)[lane].submit(threads, [this, running, id](Team& team) {
      try {
        if (running->stop->begin()) running->compute(team, *running->stop);
      } catch (...) {
        running->failure = failure_of_exception();
      }
      complete(id);
    });
  } catch (const std::system_error& error) {
    std::lock_guard<std::mutex> lock(mutex_);
    running_--;
    throw argument_error(env, "ERR_MEMORY", std::string("no thread to compute on: ") + error.what());
  }
  const Napi::Value promise = running->deferred.Promise();
  operations_.emplace(id, std::move(operation));
  if (unsettled_++ == 0) napi_ref_threadsafe_function(env, settled_);
  return promise;
}

std::function<void()> Environment::freeing_later(std::shared_ptr<void> memory) const {
  return [lanes = std::weak_ptr<Lanes>(lanes_), memory = std::move(memory)]() mutable {
    const std::shared_ptr<void> freed = std::move(memory);
    const std::shared_ptr<Lanes> shared = lanes.lock();
    if (!shared || !freed) return;
    try {
      (*shared)[Lane::training].submit(1, [freed](Team&) {});
    } catch (const std::system_error&) {
      // The system has no thread: free it here.
    }
  };
}

// On a thread of a lane. After the lock is released this object may be deleted.
void Environment::complete(std::uint64_t id) {
  std::lock_guard<std::mutex> lock(mutex_);
  napi_call_threadsafe_function(settled_, reinterpret_cast<void*>(static_cast<std::uintptr_t>(id)), napi_tsfn_nonblocking);
  running_--;
  rested_.notify_all();
}

void Environment::settle(Napi::Env env, std::uint64_t id) {
  const auto found = operations_.find(id);
  if (found == operations_.end()) return;
  const std::unique_ptr<Operation> operation = std::move(found->second);
  operations_.erase(found);
  if (--unsettled_ == 0) napi_unref_threadsafe_function(env, settled_);
  operation->settled();
  try {
    if (operation->failure.code != nullptr) throw error_of(env, operation->failure);
    operation->deferred.Resolve(operation->result(env));
  } catch (const Napi::Error& error) {
    operation->deferred.Reject(error.Value());
  }
}

}  // namespace layerwise

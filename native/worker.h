#pragma once
#include <napi.h>

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <utility>

#include "args.h"
#include "base/lanes.h"
#include "base/stop_flag.h"

namespace layerwise {

// One call that computes on the threads of a lane and settles a promise on the JavaScript thread.
struct Operation {
  Operation(Napi::Env env) : deferred(Napi::Promise::Deferred::New(env)), pins(env) {}

  Napi::Promise::Deferred deferred;
  Pins pins;
  std::unique_ptr<StopFlag> stop;
  std::function<void(Team&, const StopFlag&)> compute;  // on a lane; may throw std::bad_alloc and std::exception
  std::function<Napi::Value(Napi::Env)> result;         // on the JavaScript thread; may throw Napi::Error
  std::function<void()> settled = [] {};                // on the JavaScript thread, before either outcome

  // What compute threw.
  struct Failure {
    const char* code = nullptr;  // nothing was thrown
    std::string message;
    std::string file;  // of rows of files; empty: none
    double row = -1;   // -1: none
    const char* error_name = nullptr;
    bool of_value = false;  // then:
    double column = 0, value = 0;
  };
  Failure failure;
};

// The operation of a call; the request's `flags` can stop it.
std::unique_ptr<Operation> make_operation(const Napi::Object& request);

// The exception of an operation that was stopped.
Napi::Error cancelled(Napi::Env env);

// State of one JavaScript environment (the main thread, a worker thread): its running operations and its use of the threads. It
// is the environment's instance data; all members but complete() are used on its JavaScript thread.
class Environment {
 public:
  explicit Environment(Napi::Env env);
  ~Environment();

  static Environment& of(Napi::Env env) { return *env.GetInstanceData<Environment>(); }

  // Queues the operation and returns its promise. The process stays alive until it is settled.
  Napi::Value start(Napi::Env env, Lane lane, int threads, std::unique_ptr<Operation> operation);

  // Ends its operations and waits until no lane has one of them.
  void rest();

  // Frees something large on a thread where returning pages to the system blocks no other work.
  void free_later(std::shared_ptr<void> memory) { freeing_later(std::move(memory))(); }

  // What does so when it is called, be it after this environment's end. It is called once.
  std::function<void()> freeing_later(std::shared_ptr<void> memory) const;

 private:
  void complete(std::uint64_t id);
  void settle(Napi::Env env, std::uint64_t id);
  static void close(void* self);

  Napi::Env env_;
  napi_threadsafe_function settled_ = nullptr;
  std::shared_ptr<Lanes> lanes_;
  std::unordered_map<std::uint64_t, std::unique_ptr<Operation>> operations_;
  std::uint64_t next_id_ = 0;
  std::size_t unsettled_ = 0;

  std::mutex mutex_;
  std::condition_variable rested_;
  std::size_t running_ = 0;  // guarded by mutex_: operations the lanes still hold
};

}  // namespace layerwise

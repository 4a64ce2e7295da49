// The exports that serve the writing of files: checksum, lockFile and unlockFile on Node's own threads, as its file calls, and
// extremes.
#include <cstdint>
#include <functional>
#include <memory>
#include <utility>

#include "args.h"
#include "base/crc32c.h"
#include "base/extremes.h"
#include "base/file_lock.h"
#include "exports.h"
#include "fields.h"

namespace layerwise {
namespace {

// One call on a thread of Node's that settles a promise.
class FileWork : public Napi::AsyncWorker {
 public:
  using Result = std::function<Napi::Value(Napi::Env)>;

  // `work` may throw std::exception; `result` is made on the JavaScript thread. Both keep what they use alive.
  static Napi::Value start(Napi::Env env, std::function<void()> work, Result result) {
    auto* self = new FileWork(env, std::move(work), std::move(result));  // deletes itself
    const Napi::Value promise = self->deferred_.Promise();
    self->Queue();
    return promise;
  }

 private:
  FileWork(Napi::Env env, std::function<void()> work, Result result)
      : AsyncWorker(env, "layerwise"),
        deferred_(Napi::Promise::Deferred::New(env)),
        work_(std::move(work)),
        result_(std::move(result)) {}

  void Execute() override { work_(); }
  void OnOK() override { deferred_.Resolve(result_(Env())); }
  void OnError(const Napi::Error& error) override {
    deferred_.Reject(argument_error(Env(), "ERR_FILE", error.Message()).Value());
  }

  Napi::Promise::Deferred deferred_;
  std::function<void()> work_;
  Result result_;
};

using Lock = std::shared_ptr<FileLock>;
constexpr napi_type_tag kLockTag = {0x6c61796572776973, 0x6c6f636b6c6f636b};

}  // namespace

Napi::Value checksum(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ArrayArgument bytes = array_argument(env, info[0], "bytes");
  if (bytes.type != napi_uint8_array) throw argument_error(env, "ERR_ARGUMENT", "bytes: expected a Uint8Array");
  const std::uint32_t seed = info[1].As<Napi::Number>();
  auto pinned = std::make_shared<Napi::ObjectReference>(Napi::Persistent(info[0].As<Napi::Object>()));
  auto sum = std::make_shared<std::uint32_t>(seed);
  return FileWork::start(
      env, [sum, bytes] { *sum = crc32c(*sum, bytes.data, bytes.length); },
      [sum, pinned](Napi::Env later) { return Napi::Number::New(later, *sum); });
}

Napi::Value extremes(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const ArrayArgument numbers = array_argument(env, info[0], "numbers");
  const Storage storage = storage_numbered(env, info[1]);
  rows_of(env, numbers, storage, 0, 1);  // checks the type of the array
  const ArrayArgument out = array_argument(env, info[2], "out", 3);
  if (out.type != napi_float64_array) throw argument_error(env, "ERR_ARGUMENT", "out: expected a Float64Array");
  if (numbers.length == 0) throw argument_error(env, "ERR_SHAPE", "numbers: none");
  const Extremes found = extremes_of(storage, numbers.data, numbers.length);
  auto* result = static_cast<double*>(out.data);
  result[0] = found.low;
  result[1] = found.high;
  result[2] = found.bad == numbers.length ? -1 : static_cast<double>(found.bad);
  return env.Undefined();
}

Napi::Value lock_file(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) throw argument_error(info.Env(), "ERR_ARGUMENT", "path: expected a string");
  auto lock = std::make_shared<Lock>();
  return FileWork::start(
      info.Env(), [lock, path = info[0].As<Napi::String>().Utf8Value()] { *lock = FileLock::take(path); },
      [lock](Napi::Env later) -> Napi::Value {
        if (!*lock) return later.Null();
        auto held = std::make_unique<Lock>(*lock);
        auto handle = Napi::External<Lock>::New(later, held.get(), [](Napi::Env, Lock* owned) { delete owned; });
        held.release();  // the handle has it; in a worker that is being terminated none can be made, and the lock ends here
        handle.TypeTag(&kLockTag);
        return handle;
      });
}

Napi::Value unlock_file(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (!info[0].IsExternal() || !info[0].As<Napi::External<Lock>>().CheckTypeTag(&kLockTag))
    throw argument_error(env, "ERR_ARGUMENT", "lock: expected what lockFile resolved to");
  Lock lock = *info[0].As<Napi::External<Lock>>().Data();
  return FileWork::start(env, [lock] { lock->release(); }, [](Napi::Env later) { return later.Undefined(); });
}

}  // namespace layerwise

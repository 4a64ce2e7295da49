#pragma once
// Where the time of a training step goes: `npm run bench -- NAME --phases`. Active only with LAYERWISE_PHASES, for a program of
// the benchmarks; otherwise a PhaseTimer does nothing.
#ifdef LAYERWISE_PHASES
#include <atomic>
#include <chrono>
#include <cstdint>
#endif

namespace layerwise {

enum class Phase { gather, forward_product, activation, loss, backward_product, hidden_delta, gradient_product, update };
constexpr int kPhases = 8;

#ifdef LAYERWISE_PHASES
// Nanoseconds of all threads together.
inline std::atomic<std::int64_t> phase_times[kPhases];

// Adds its lifetime to its phase. Timers of one thread do not overlap.
class PhaseTimer {
 public:
  explicit PhaseTimer(Phase phase) : phase_(phase) {}
  ~PhaseTimer() {
    const auto lived = std::chrono::steady_clock::now() - start_;
    phase_times[static_cast<int>(phase_)] += std::chrono::duration_cast<std::chrono::nanoseconds>(lived).count();
  }
  PhaseTimer(const PhaseTimer&) = delete;
  PhaseTimer& operator=(const PhaseTimer&) = delete;

 private:
  Phase phase_;
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};
#else
class PhaseTimer {
 public:
  explicit PhaseTimer(Phase) {}
};
#endif

}  // namespace layerwise

#pragma once
#include "base/thread_pool.h"

namespace layerwise {

// Each call computes on one of four pools, which run in parallel: the system's scheduler divides the processors between them,
// with a granularity of a few milliseconds. So no call waits for a call of another lane, and no lane needs yield points.
enum class Lane {
  express,        // answers that take a thread about a millisecond
  bulk,           // answers over many rows, costs among them
  training,       // trainings, span by span
  decomposition,  // principal components: one or two tasks each, which may take minutes
};

class Lanes {
 public:
  ThreadPool& operator[](Lane lane) {
    switch (lane) {
      case Lane::express:
        return express_;
      case Lane::bulk:
        return bulk_;
      case Lane::training:
        return training_;
      default:
        return decomposition_;
    }
  }

  // The lane of an answer that takes this many operations.
  static Lane of(double flops) { return flops <= kExpressFlops ? Lane::express : Lane::bulk; }

  // Long work has lower priority than the event loop and short answers, which have three times the weight in the scheduler.
  static constexpr int kNicer = 5;

 private:
  static constexpr double kExpressFlops = 6e7;

  ThreadPool express_, bulk_{kNicer}, training_{kNicer}, decomposition_{kNicer};
};

}  // namespace layerwise

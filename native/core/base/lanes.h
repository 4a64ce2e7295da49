#pragma once
#include "base/thread_pool.h"

namespace layerwise {

// Calls compute on one of four pools, side by side: the system's scheduler divides the processors between them, down to a few
// milliseconds, wherever their work stands. So no call waits for one of another lane, and none of them needs points at which it
// lets others in.
enum class Lane {
  express,        // answers that take a thread about a millisecond
  bulk,           // answers over many rows, costs among them
  training,       // trainings, a span after another
  decomposition,  // principal components, each a task or two that may take minutes
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

  // The lane of an answer that takes so many operations.
  static Lane of(double flops) { return flops <= kExpressFlops ? Lane::express : Lane::bulk; }

  // What may compute for long gives way to the event loop and to short answers, which weigh three times as much to the scheduler.
  static constexpr int kNicer = 5;

 private:
  static constexpr double kExpressFlops = 6e7;

  ThreadPool express_, bulk_{kNicer}, training_{kNicer}, decomposition_{kNicer};
};

}  // namespace layerwise

#pragma once
#include <vector>

#include "core_testing.h"
#include "training/job/job.h"

namespace layerwise {

// A training job as far as it ran.
template <typename T>
struct Trained {
  std::vector<T> theta;
  std::vector<SpanResult> spans;  // the last of each epoch
  const SpanResult& last() const { return spans.back(); }
};

inline constexpr double kWholeEpoch = 1e9;  // milliseconds

inline TrainingOptions options_of(OptimizerOptions::Kind kind, int batch_size, bool fused = true) {
  TrainingOptions options;
  options.optimizer.kind = kind;
  options.batch_size = batch_size;
  options.seed = 11;
  options.fused = fused;
  return options;
}

// A span of a job over rows of memory.
template <typename T>
SpanResult run(TrainingJob<T>& job, Team& team, const Rows& rows, const Span& span, const StopFlag& stop) {
  MemoryRows<T> source(rows);
  return job.run(team, source, span, stop);
}

template <typename T>
Trained<T> train(const Network& network, const Objective& objective, const TrainingOptions& options, const std::vector<T>& theta,
                 const TestRows& data, int epochs, double rate, int threads) {
  Trained<T> out;
  ThreadPool pool;
  pool.run(threads, [&](Team& team) {
    const auto rows = make_source<T>(data.rows, data.frozen);
    TrainingJob<T> job(network, objective, options, theta.data(), rows->count(), EvaluationMemory::beside(*rows));
    for (int epoch = 0; epoch < epochs; epoch++) {
      out.spans.push_back(job.run(team, *rows, {epoch, rate, kWholeEpoch}, StopFlag()));
      EXPECT_TRUE(out.last().epoch_done);
    }
    out.theta.assign(job.theta(), job.theta() + network.parameters);
  });
  return out;
}

template <typename T>
void expect_same_bits(const Trained<T>& a, const Trained<T>& b) {
  EXPECT_TRUE(same_bits(a.theta, b.theta));
  ASSERT_EQ(a.spans.size(), b.spans.size());
  for (std::size_t i = 0; i < a.spans.size(); i++) {
    EXPECT_EQ(a.spans[i].cost.loss, b.spans[i].cost.loss);
    EXPECT_EQ(a.spans[i].cost.weight_decay, b.spans[i].cost.weight_decay);
    EXPECT_EQ(a.spans[i].cost.sparsity, b.spans[i].cost.sparsity);
    EXPECT_EQ(a.spans[i].gradient_norm, b.spans[i].gradient_norm);
    EXPECT_EQ(a.spans[i].mean_activation, b.spans[i].mean_activation);
    EXPECT_EQ(a.spans[i].evaluations, b.spans[i].evaluations);
  }
}

}  // namespace layerwise

// Runs over fewer rows than the evaluator was made for, as those of a training's last batch.
#include <gtest/gtest.h>

#include <vector>

#include "core_testing.h"

namespace layerwise {
namespace {

// Chunks of 512 rows at most, so that a shorter run has more blocks in its one chunk than each of a longer run's chunks has.
TEST(RunsOfFewerRows, HaveTheBitsOfAnEvaluatorMadeForThem) {
  constexpr int kInputs = 60, kMost = 1025;
  constexpr EvaluationMemory kShortChunks = {0, std::size_t{1} << 30};
  const Network network = autoencoder(kInputs, 30);
  const Objective objective = objective_of(network, Loss::squared, 0.01);
  const std::vector<double> x = random_vector<double>(std::size_t{kMost} * kInputs, 0.1, 0.9, 1),
                            theta = parameters_of<double>(network, 2);
  const Rows all = rows_of(x, kInputs);
  const auto blocks = [&](int rows) {
    const Plan plan = Plan::evaluation(network, rows, sizeof(double), kShortChunks.chunk);
    EXPECT_TRUE(plan.by_blocks[0]);
    return plan.blocks(plan.chunks.longest()).count;
  };
  ASSERT_GT(blocks(512), blocks(kMost));

  ThreadPool pool;
  MemoryRows<double> source(all);
  const auto run = [&](Evaluator<double>& evaluator, int rows) {
    Evaluated<double> out;
    out.gradient.assign(theta.size(), kNaN<double>);
    Evaluator<double>::Request request;
    request.theta = theta.data();
    request.rows = &source;
    request.count = rows;
    request.gradient = out.gradient.data();
    pool.run(2, [&](Team& team) { EXPECT_TRUE(evaluator.run(team, request, StopFlag(), out.parts)); });
    out.means = evaluator.mean_activation();
    return out;
  };
  Evaluator<double> longer(network, objective, kMost, kShortChunks);
  for (int rows : {kMost, 512, 100, 1}) {
    Evaluator<double> own(network, objective, rows, kShortChunks);
    expect_same_bits(run(own, rows), run(longer, rows));
  }
}

}  // namespace
}  // namespace layerwise

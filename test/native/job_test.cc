#include "training/job/job.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <thread>
#include <vector>

#include "base/random.h"
#include "job_testing.h"
#include "naive_cost.h"

namespace layerwise {
namespace {

using Kind = OptimizerOptions::Kind;

constexpr int kInputs = 7, kRows = 23, kBatch = 5;  // four batches of five and one of three

class Training : public testing::Test {
 protected:
  const Network network = autoencoder(kInputs, 4);
  const std::vector<double> theta = parameters_of<double>(network, 1);
  const std::vector<double> x = random_vector<double>(kRows * kInputs, 0.1, 0.9, 2);
  const Rows rows = rows_of(x, kInputs);

  Objective objective(Average average) const {
    return objective_of(network, Loss::squared, 0.02, {{0, PenaltyKind::l2, 0.2, 3, average}});
  }
  std::vector<double> batch(const std::vector<std::uint32_t>& order, int step) const {
    std::vector<double> out;
    for (int i = step * kBatch; i < std::min(kRows, (step + 1) * kBatch); i++) {
      out.insert(out.end(), x.begin() + order[i] * kInputs, x.begin() + (order[i] + 1) * kInputs);
    }
    return out;
  }
  static std::vector<std::uint32_t> order_of(int epoch, std::uint64_t seed, std::uint32_t fit) {
    std::vector<std::uint32_t> order(kRows);
    permutation(order.data(), kRows, seed, static_cast<std::uint32_t>(Stream::shuffle), std::uint64_t{fit} << 32 | epoch);
    return order;
  }
};

// One epoch after another, each batch's gradient by central differences of the naive cost.
TEST_F(Training, FollowsShuffledMinibatchesWithTheirOwnMeans) {
  constexpr double kRate = 0.3;
  constexpr int kEpochs = 2;
  TrainingOptions options = options_of(Kind::gradient_descent, kBatch);
  options.fit = 3;
  const auto got = train(network, objective(Average::batch), options, theta, rows, kEpochs, kRate, 2);
  std::vector<double> at = theta;
  for (int epoch = 0; epoch < kEpochs; epoch++) {
    const auto order = order_of(epoch, options.seed, options.fit);
    long double loss = 0, norm = 0;
    std::vector<long double> mean(4, 0);
    for (int step = 0; step < 5; step++) {
      const std::vector<double> part = batch(order, step);
      const long double share = static_cast<long double>(part.size()) / x.size();
      const NaiveCost cost = naive_cost(network, objective(Average::batch), {at.begin(), at.end()}, part);
      loss += share * cost.loss;
      for (int j = 0; j < 4; j++) mean[j] += share * cost.means[0][j];
      const auto gradient = naive_gradient(network, objective(Average::batch), at, part);
      norm = 0;
      for (std::size_t i = 0; i < at.size(); i++) {
        at[i] -= static_cast<double>(kRate * gradient[i]);
        norm += gradient[i] * gradient[i];
      }
    }
    const SpanResult& span = got.spans[epoch];
    EXPECT_EQ(span.steps, 5);
    EXPECT_EQ(span.steps_in_epoch, 5);
    EXPECT_EQ(span.evaluations, 5);
    // The loss is the mean over the epoch's rows at their steps; penalty and decay are those of its end.
    EXPECT_NEAR(span.cost.loss, loss, tolerance::kTrained);
    long double sparsity = 0;
    for (int j = 0; j < 4; j++) {
      EXPECT_NEAR(span.mean_activation[j], mean[j], tolerance::kTrained);
      sparsity += 3 * (mean[j] - 0.2L) * (mean[j] - 0.2L);
    }
    EXPECT_NEAR(span.cost.sparsity, sparsity, tolerance::kTrained);
    EXPECT_NEAR(span.cost.weight_decay, naive_cost(network, objective(Average::batch), {at.begin(), at.end()}, x).weight_decay,
                tolerance::kTrained);
    EXPECT_NEAR(span.gradient_norm, std::sqrt(norm), tolerance::kTrained);
  }
  for (std::size_t i = 0; i < at.size(); i++) EXPECT_NEAR(got.theta[i], at[i], tolerance::kTrained);
}

// The pull of a moving mean is that of a linear penalty, whose derivative is the pull: sum over j of c[j] * (batch mean)[j].
TEST_F(Training, TheMovingMeanIsCorrectedForItsStart) {
  constexpr double kRate = 0.3;
  const auto got =
      train(network, objective(Average::moving), options_of(Kind::gradient_descent, kBatch), theta, rows, 2, kRate, 2);
  const Objective without = objective_of(network, Loss::squared, 0.02);
  std::vector<double> at = theta;
  std::vector<long double> moving(4, 0);
  int steps = 0;
  for (int epoch = 0; epoch < 2; epoch++) {
    const auto order = order_of(epoch, 11, 0);
    for (int step = 0; step < 5; step++) {
      const std::vector<double> part = batch(order, step);
      const auto means = naive_cost(network, without, {at.begin(), at.end()}, part).means[0];
      steps++;
      std::vector<long double> slope(4);
      for (int j = 0; j < 4; j++) {
        moving[j] = MovingMeans::kDecay * moving[j] + (1 - MovingMeans::kDecay) * means[j];
        slope[j] = 3 * 2 * (moving[j] / (1 - std::pow(static_cast<long double>(MovingMeans::kDecay), steps)) - 0.2L);
      }
      auto gradient = naive_gradient(network, without, at, part);
      for (std::size_t i = 0; i < at.size(); i++) {
        std::vector<long double> ahead(at.begin(), at.end()), behind = ahead;
        ahead[i] += 1e-6L;
        behind[i] -= 1e-6L;
        const auto up = naive_cost(network, without, ahead, part).means[0],
                   down = naive_cost(network, without, behind, part).means[0];
        for (int j = 0; j < 4; j++) gradient[i] += slope[j] * (up[j] - down[j]) / 2e-6L;
      }
      for (std::size_t i = 0; i < at.size(); i++) at[i] -= static_cast<double>(kRate * gradient[i]);
    }
  }
  for (std::size_t i = 0; i < at.size(); i++) EXPECT_NEAR(got.theta[i], at[i], tolerance::kTrained);
}

TEST_F(Training, AFullBatchReportsTheCostBeforeItsStep) {
  for (bool fused : {true, false}) {
    const auto got = train(network, objective(Average::exact), options_of(Kind::adam, 0, fused), theta, rows, 1, 0.5, 2);
    const NaiveCost naive = naive_cost(network, objective(Average::exact), {theta.begin(), theta.end()}, x);
    EXPECT_EQ(got.last().steps_in_epoch, 1);
    EXPECT_NEAR(got.last().cost.loss, naive.loss, tolerance::kTrained);
    EXPECT_NEAR(got.last().cost.weight_decay, naive.weight_decay, tolerance::kTrained);
    EXPECT_NEAR(got.last().cost.sparsity, naive.sparsity, tolerance::kTrained);
  }
}

TEST_F(Training, WithoutShuffleUsesTheRowsInTheirGivenOrder) {
  std::vector<std::uint32_t> identity(kRows), reversed(kRows);
  std::iota(identity.begin(), identity.end(), 0);
  std::copy(identity.rbegin(), identity.rend(), reversed.begin());
  const std::vector<double> reordered = taken(x, kInputs, reversed);
  Rows by_order = rows;
  by_order.order = reversed.data();
  for (Shuffling shuffle : {Shuffling::none, Shuffling::rows, Shuffling::blocks}) {
    TrainingOptions options = options_of(Kind::adam, kBatch);
    options.shuffle = shuffle;
    const auto read = train(network, objective(Average::moving), options, theta, by_order, 2, 0.05, 2);
    expect_same_bits(read, train(network, objective(Average::moving), options, theta, rows_of(reordered, kInputs), 2, 0.05, 2));
    EXPECT_FALSE(same_bits(read.theta, train(network, objective(Average::moving), options, theta, rows, 2, 0.05, 2).theta));
  }
}

TEST_F(Training, BatchesAsLargeAsTheRowsOrLargerAreOneStep) {
  const auto all = train(network, objective(Average::batch), options_of(Kind::adam, kRows), theta, rows, 2, 0.05, 2);
  const auto more = train(network, objective(Average::batch), options_of(Kind::adam, 10 * kRows), theta, rows, 2, 0.05, 2);
  EXPECT_EQ(all.last().steps_in_epoch, 1);
  expect_same_bits(all, more);
}

TEST_F(Training, SpansOfAnyLengthGiveTheBitsOfOne) {
  const auto whole = train(network, objective(Average::moving), options_of(Kind::adam, kBatch), theta, rows, 3, 0.05, 2);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingJob<double> job(network, objective(Average::moving), options_of(Kind::adam, kBatch), theta.data(), kRows);
    for (int epoch = 0; epoch < 3; epoch++) {
      for (int step = 1; step <= 5; step++) {
        const SpanResult span = run(job, team, rows, {epoch, 0.05, 0}, StopFlag());
        EXPECT_EQ(span.steps, step);
        EXPECT_EQ(span.epoch_done, step == 5);
      }
    }
    EXPECT_TRUE(std::equal(whole.theta.begin(), whole.theta.end(), job.theta()));
  });
}

TEST_F(Training, AnEpochsWeightDecayIsThatOfItsLastParameters) {
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingJob<double> job(network, objective(Average::batch), options_of(Kind::adam, kBatch), theta.data(), kRows);
    // Reports within the epoch, a moment before, may have that of other parameters.
    for (int step = 1; step < 5; step++) run(job, team, rows, {0, 0.05, 0}, StopFlag());
    const double reported = run(job, team, rows, {0, 0.05, 0}, StopFlag()).cost.weight_decay;
    double decay = 0;
    for (const DenseLayer& layer : network.layers) {
      const double* w = job.theta() + layer.weights_at;
      decay += 0.02 / 2 * std::inner_product(w, w + layer.weight_count(), w, 0.0);
    }
    EXPECT_NEAR(reported, decay, tolerance::kDot * decay);
  });
}

TEST_F(Training, ReportsWhichEpochIsNotFinished) {
  for (const Kind kind : {Kind::adam, Kind::lbfgs}) {
    ThreadPool pool;
    pool.run(2, [&](Team& team) {
      const int batch = kind == Kind::adam ? kBatch : 0;
      TrainingJob<double> job(network, objective(Average::exact), options_of(kind, batch), theta.data(), kRows);
      EXPECT_EQ(job.epoch(), 0);
      run(job, team, rows, {0, 0.05, 0}, StopFlag());
      EXPECT_EQ(job.epoch(), kind == Kind::adam ? 0 : 1);
      run(job, team, rows, {job.epoch(), 0.05, kWholeEpoch}, StopFlag());
      EXPECT_EQ(job.epoch(), kind == Kind::adam ? 1 : 2);
      EXPECT_FALSE(job.ended(0));
    });
  }
}

TEST_F(Training, LbfgsEndsWithItsRound) {
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingOptions options = options_of(Kind::lbfgs, 0);
    options.optimizer.tolerance = 1e9;
    TrainingJob<double> job(network, objective(Average::exact), options, theta.data(), kRows);
    EXPECT_FALSE(job.ended(0));
    EXPECT_STREQ(run(job, team, rows, {0, 0, kWholeEpoch}, StopFlag()).stopped, "tolerance");
    EXPECT_TRUE(job.ended(0));
    EXPECT_FALSE(job.ended(1));
  });
}

TEST_F(Training, TwoAlternatingJobsHaveTheBitsOfEachAlone) {
  const TrainingOptions first = options_of(Kind::adam, kBatch), second = options_of(Kind::momentum, 4);
  const auto alone1 = train(network, objective(Average::moving), first, theta, rows, 2, 0.05, 2);
  const auto alone2 = train(network, objective(Average::batch), second, theta, rows, 2, 0.02, 3);
  ThreadPool pool;
  TrainingJob<double> job1(network, objective(Average::moving), first, theta.data(), kRows);
  TrainingJob<double> job2(network, objective(Average::batch), second, theta.data(), kRows);
  int epoch1 = 0, epoch2 = 0;
  while (epoch1 < 2 || epoch2 < 2) {
    if (epoch1 < 2) pool.run(2, [&](Team& team) { epoch1 += run(job1, team, rows, {epoch1, 0.05, 0}, StopFlag()).epoch_done; });
    if (epoch2 < 2) pool.run(3, [&](Team& team) { epoch2 += run(job2, team, rows, {epoch2, 0.02, 0}, StopFlag()).epoch_done; });
  }
  EXPECT_TRUE(std::equal(alone1.theta.begin(), alone1.theta.end(), job1.theta()));
  EXPECT_TRUE(std::equal(alone2.theta.begin(), alone2.theta.end(), job2.theta()));
}

// Stops a running epoch from another thread, wherever it is, and compares with a run of exactly as many steps.
TEST(TrainingCancelled, LeavesTheParametersOfTheLastCompleteStep) {
  const Network network = autoencoder(301, 77);
  const std::vector<float> theta = parameters_of<float>(network, 1), x = random_vector<float>(4001 * 301, 0, 1, 2);
  const Objective objective = objective_of(network, Loss::squared, 3e-3, {{0, PenaltyKind::kl, 0.1, 3, Average::moving}});
  const Rows rows = rows_of(x, 301);
  for (bool fused : {true, false}) {
    for (int microseconds : {0, 2000, 5000, 11000}) {
      const TrainingOptions options = options_of(Kind::adam, 64, fused);
      ThreadPool pool;
      pool.run(2, [&](Team& team) {
        TrainingJob<float> job(network, objective, options, theta.data(), rows.count);
        std::int32_t word = 0;
        const StopFlag stop(&word);
        std::thread canceller([&] {
          std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
          __atomic_store_n(&word, 1, __ATOMIC_RELAXED);
        });
        SpanResult result;
        int epoch = 0;
        do {
          result = run(job, team, rows, {epoch, 0.01, kWholeEpoch}, stop);
          if (result.epoch_done) epoch++;
        } while (!result.cancelled);
        canceller.join();

        TrainingJob<float> again(network, objective, options, theta.data(), rows.count);
        for (int done = 0; done < epoch; done++) run(again, team, rows, {done, 0.01, kWholeEpoch}, StopFlag());
        for (int step = 0; step < result.steps; step++) run(again, team, rows, {epoch, 0.01, 0}, StopFlag());
        EXPECT_TRUE(std::equal(again.theta(), again.theta() + network.parameters, job.theta()));
      });
    }
  }
}

TEST_F(Training, ReportsDivergence) {
  const Network linear = network_of({kInputs, 4, kInputs}, Activation::identity, Activation::identity);
  for (int batch : {kBatch, 0}) {
    for (double decay : {0.0, 0.01}) {
      ThreadPool pool;
      pool.run(2, [&](Team& team) {
        const auto options = options_of(Kind::gradient_descent, batch);
        TrainingJob<double> job(linear, objective_of(linear, Loss::squared, decay), options, theta.data(), kRows);
        bool diverged = false;
        for (int epoch = 0; epoch < 8 && !diverged; epoch++)
          diverged = run(job, team, rows, {epoch, 1e30, kWholeEpoch}, StopFlag()).diverged;
        EXPECT_TRUE(diverged) << "batch " << batch << " decay " << decay;
        EXPECT_TRUE(job.ended(0));
      });
    }
  }
}

TEST_F(Training, ParametersReturnedByACancelAreNeverPartial) {
  const Network linear = network_of({kInputs, 4, kInputs}, Activation::identity, Activation::identity);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingJob<double> job(linear, objective_of(linear, Loss::squared, 0.0), options_of(Kind::gradient_descent, kBatch),
                            theta.data(), kRows);
    // A span without budget ends after one step, whose cost was that of finite parameters; the step itself overflows.
    SpanResult span = run(job, team, rows, {0, 1e308, 0}, StopFlag());
    std::int32_t raised[] = {1, 0};
    span = run(job, team, rows, {0, 1e308, 0}, StopFlag(raised));
    EXPECT_TRUE(span.cancelled);
    const bool sound = std::all_of(job.theta(), job.theta() + linear.parameters, [](double v) { return std::isfinite(v * v); });
    EXPECT_EQ(span.diverged, !sound);
    EXPECT_FALSE(sound);
  });
}

TEST_F(Training, AnEpochsSparsityIsThatOfAllPenalisedLayers) {
  const Network deep = network_of({kInputs, 4, 3, kInputs}, Activation::sigmoid, Activation::sigmoid);
  const auto start = random_vector<double>(deep.parameters, -0.5, 0.5, 3);
  Objective both = objective_of(deep, Loss::squared, 0.0);
  double apart = 0;
  for (int layer : {0, 1}) {
    Objective one = both;
    one.penalties = {{layer, PenaltyKind::kl, 0.2, 0.7, Average::batch}};
    apart += train(deep, one, options_of(Kind::gradient_descent, kBatch), start, rows, 1, 0, 2).last().cost.sparsity;
  }
  both.penalties = {{0, PenaltyKind::kl, 0.2, 0.7, Average::batch}, {1, PenaltyKind::kl, 0.2, 0.7, Average::batch}};
  const auto got = train(deep, both, options_of(Kind::gradient_descent, kBatch), start, rows, 1, 0, 2);
  EXPECT_NEAR(got.last().cost.sparsity, apart, tolerance::kTrained);
}

TEST_F(Training, DoesNotReportAStableRunAsDivergent) {
  for (Kind kind : {Kind::gradient_descent, Kind::momentum, Kind::adam, Kind::lbfgs}) {
    const auto got = train(network, objective(Average::exact), options_of(kind, 0), theta, rows, 4, 0.01, 2);
    for (const SpanResult& span : got.spans) EXPECT_FALSE(span.diverged || span.cancelled);
    EXPECT_LT(got.last().cost.total(), got.spans[0].cost.total());
  }
}

TEST_F(Training, LbfgsReportsTheCostAndMeansAtItsParameters) {
  const auto got = train(network, objective(Average::exact), options_of(Kind::lbfgs, 0), theta, rows, 5, 0, 2);
  const auto at = evaluate(network, objective(Average::exact), got.theta, rows);
  EXPECT_EQ(got.last().cost.total(), at.parts.total());
  EXPECT_EQ(got.last().mean_activation, at.means);
  double squares = 0;
  for (double g : at.gradient) squares += g * g;
  EXPECT_NEAR(got.last().gradient_norm, std::sqrt(squares), tolerance::kTrained);
}

TEST_F(Training, LbfgsCancelledLeavesItsLastIterate) {
  const auto before = train(network, objective(Average::exact), options_of(Kind::lbfgs, 0), theta, rows, 2, 0, 2);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingJob<double> job(network, objective(Average::exact), options_of(Kind::lbfgs, 0), theta.data(), kRows);
    for (int epoch = 0; epoch < 2; epoch++) run(job, team, rows, {epoch, 0, kWholeEpoch}, StopFlag());
    StopFlag stop;
    stop.abandon();
    EXPECT_TRUE(run(job, team, rows, {2, 0, kWholeEpoch}, stop).cancelled);
    EXPECT_TRUE(std::equal(before.theta.begin(), before.theta.end(), job.theta()));
  });
}

}  // namespace
}  // namespace layerwise

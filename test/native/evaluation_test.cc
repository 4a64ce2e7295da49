#include "network/evaluation.h"

#include <gtest/gtest.h>

#include <atomic>
#include <cmath>
#include <utility>
#include <vector>

#include "naive_cost.h"
#include "products/choose.h"

namespace layerwise {
namespace {

constexpr int kRows = 5;

void check(const Network& network, const Objective& objective, unsigned seed) {
  const std::vector<double> theta = parameters_of<double>(network, seed);
  const std::vector<double> x = random_vector<double>(static_cast<std::size_t>(kRows) * network.inputs(), 0.1, 0.9, seed + 1);
  expect_right(network, objective, theta, x, evaluate(network, objective, theta, rows_of(x, network.inputs())));
}

// Penalties that the hidden activation allows, or none.
std::vector<std::vector<Penalty>> penalties_for(Activation f, int layer) {
  std::vector<std::vector<Penalty>> all = {
      {}, {{layer, PenaltyKind::l2, 0.3, 2, Average::exact}}, {{layer, PenaltyKind::l1, 0, 0.5, Average::exact}}};
  if (traits_of(f).bounded()) {
    all.push_back({{layer, PenaltyKind::kl, 0.2, 3, Average::exact}});
  }
  return all;
}

TEST(Evaluation, CostAndGradientAreRightForEveryActivationLossAndPenalty) {
  for (Loss loss : kLosses) {
    for (Activation hidden : kActivations) {
      for (Activation output : kActivations) {
        if (!possible(loss, output)) continue;
        for (const auto& penalties : penalties_for(hidden, 0)) {
          SCOPED_TRACE(testing::Message() << "loss " << static_cast<int>(loss) << " activations " << static_cast<int>(hidden)
                                          << ' ' << static_cast<int>(output) << " penalty "
                                          << (penalties.empty() ? -1 : static_cast<int>(penalties[0].kind)));
          const Network network = network_of({4, 3, 4}, hidden, output);
          check(network, objective_of(network, loss, 0.01, penalties), 20);
        }
      }
    }
  }
}

// On either side of what is multiplied in registers, and with matrices stored either way.
TEST(Evaluation, CostAndGradientAreCorrectForMediumAndWideLayers) {
  const DenseLayer pages_apart = network_of({1024, 300}, Activation::sigmoid, Activation::sigmoid).layers.front();
  ASSERT_EQ(choose_ways(pages_apart, sizeof(double)).backward, RowsWay::blas);
  using Shape = std::pair<int, int>;
  for (const auto& [inputs, hidden] : {Shape(250, 250), Shape(515, 515), Shape(300, 1024), Shape(1024, 300)}) {
    for (const Network& network : {network_of({inputs, hidden, inputs}, Activation::sigmoid, Activation::sigmoid),
                                   tied_network({inputs, hidden}, Activation::sigmoid, Activation::sigmoid)}) {
      SCOPED_TRACE(testing::Message() << inputs << " to " << hidden << ", " << network.parameters << " parameters");
      const Objective objective = objective_of(network, Loss::squared, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}});
      const std::vector<double> theta = parameters_of<double>(network, 4);
      const std::vector<double> x = random_vector<double>(static_cast<std::size_t>(kRows) * inputs, 0.1, 0.9, 5);
      expect_right_along(network, objective, theta, x, evaluate(network, objective, theta, rows_of(x, inputs)));
    }
  }
}

TEST(Evaluation, CostAndGradientAreRightForOneLayerAndForFour) {
  for (Loss loss : kLosses) {
    for (Activation f : {Activation::sigmoid, Activation::tanh, Activation::identity, Activation::elu, Activation::gelu}) {
      if (!possible(loss, f)) continue;
      SCOPED_TRACE(testing::Message() << "loss " << static_cast<int>(loss) << " activation " << static_cast<int>(f));
      const Network one = network_of({4, 4}, f, f);
      check(one, objective_of(one, loss, 0.02), 3);
      const Network four = network_of({4, 3, 2, 3, 4}, f, f);
      for (int layer : {0, 1, 2}) {
        for (const auto& penalties : penalties_for(f, layer)) check(four, objective_of(four, loss, 0.02, penalties), 5);
      }
    }
  }
}

TEST(Evaluation, EveryHiddenLayerMayHaveItsOwnPenaltyAndEveryLayerItsOwnDecay) {
  const Network network = network_of({4, 3, 2, 3, 4}, Activation::sigmoid, Activation::sigmoid);
  Objective objective = objective_of(network, Loss::squared, 0,
                                     {{1, PenaltyKind::kl, 0.1, 2, Average::exact},
                                      {0, PenaltyKind::l1, 0, 0.3, Average::exact},
                                      {2, PenaltyKind::l2, 0.4, 1, Average::exact}});
  objective.weight_decay = {0.1, 0, 0.02, 0.3};
  check(network, objective, 7);
  std::swap(objective.penalties[0], objective.penalties[2]);
  check(network, objective, 8);
}

TEST(Evaluation, KlIsFiniteAndItsGradientCorrectIfUnitsSaturate) {
  for (Activation f : {Activation::sigmoid, Activation::tanh, Activation::satlin}) {
    const Network network = network_of({4, 3, 4}, f, Activation::sigmoid);
    const Objective objective = objective_of(network, Loss::squared, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}});
    std::vector<double> theta = parameters_of<double>(network, 1);
    theta[network.layers[0].biases_at] = -15.5;  // a mean of about 2e-7
    theta[network.layers[0].biases_at + 1] = 15.5;
    const std::vector<double> x = random_vector<double>(kRows * 4, 0.1, 0.9, 2);
    const Evaluated<double> got = evaluate(network, objective, theta, rows_of(x, 4));
    const NaiveCost naive = naive_cost(network, objective, {theta.begin(), theta.end()}, x);
    EXPECT_NEAR(got.parts.sparsity, naive.sparsity, tolerance::kAtEdges);
    // The rounding of a mean in long double times the slope of 1e6 needs a longer step than elsewhere.
    EXPECT_LT(gradient_error(got.gradient, naive_gradient(network, objective, theta, x, 1e-4L)), tolerance::kGradient);
  }
}

TEST(Evaluation, AUnitAtExactlyZeroOrOneHasAFiniteCostAndNoGradient) {
  const Network network = autoencoder(4, 3);
  const Objective objective = objective_of(network, Loss::squared, 0, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}});
  std::vector<float> theta = parameters_of<float>(network, 1);
  theta[network.layers[0].biases_at] = -200;
  theta[network.layers[0].biases_at + 1] = 200;
  const std::vector<float> x = random_vector<float>(kRows * 4, 0.1, 0.9, 2);
  const auto got = evaluate(network, objective, theta, rows_of(x, 4));
  EXPECT_EQ(got.means[0], 0);
  EXPECT_EQ(got.means[1], 1);
  long double sparsity = 0;
  for (double mean : {0.0, 1.0, got.means[2]}) sparsity += naive_penalty(objective.penalties[0], Activation::sigmoid, 0, mean);
  EXPECT_NEAR(got.parts.sparsity, sparsity, tolerance::kCost * got.parts.sparsity);
  for (int j = 0; j < 2; j++) {
    for (int k = 0; k < 4; k++) EXPECT_EQ(got.gradient[j * 4 + k], 0);
    EXPECT_EQ(got.gradient[network.layers[0].biases_at + j], 0);
  }
}

TEST(Evaluation, WithoutAGradientTheCostIsTheSame) {
  const Network network = network_of({4, 3, 4}, Activation::tanh, Activation::identity);
  const Objective objective = objective_of(network, Loss::euclidean, 0.1, {{0, PenaltyKind::l2, 0.3, 2, Average::exact}});
  const std::vector<double> theta = parameters_of<double>(network, 1), x = random_vector<double>(kRows * 4, 0, 1, 2);
  const Evaluated<double> whole = evaluate(network, objective, theta, rows_of(x, 4));
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    Evaluator<double> evaluator(network, objective, kRows);
    MemoryRows<double> source(rows_of(x, 4));
    Evaluator<double>::Request request;
    request.theta = theta.data();
    request.rows = &source;
    request.count = kRows;
    CostParts parts;
    EXPECT_TRUE(evaluator.run(team, request, StopFlag(), parts));
    EXPECT_EQ(parts.total(), whole.parts.total());
    EXPECT_EQ(evaluator.mean_activation(), whole.means);
  });
}

TEST(Evaluation, ReadsBytesShiftsAndAnyOrderAsTheSameRowsInPlace) {
  const Network network = autoencoder(6, 3);
  const Objective objective = objective_of(network, Loss::cross_entropy, 0.1, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}});
  const std::vector<double> theta = parameters_of<double>(network, 1);
  std::vector<std::uint8_t> bytes(9 * 6);
  for (std::size_t i = 0; i < bytes.size(); i++) bytes[i] = static_cast<std::uint8_t>(60 + i * 37 % 150);
  const std::vector<double> shift = random_vector<double>(6, 0, 0.1, 2), factor = random_vector<double>(6, 0.5, 1, 3);
  const std::vector<std::uint32_t> order = {8, 1, 1, 0, 5, 7};
  for (bool shifted : {false, true}) {
    for (bool ordered : {false, true}) {
      Rows rows = rows_of(bytes, 6);
      rows.scale = 1.0 / 255;
      if (shifted) {
        rows.scaling.shift = shift.data();
        rows.scaling.factor = factor.data();
      }
      if (ordered) {
        rows.order = order.data();
        rows.count = static_cast<int>(order.size());
      }
      std::vector<double> x;
      for (int i = 0; i < rows.count; i++) {
        for (int j = 0; j < 6; j++) {
          const double value = bytes[(ordered ? order[i] : i) * 6 + j] * rows.scale;
          x.push_back(shifted ? (value - shift[j]) * factor[j] : value);
        }
      }
      expect_right(network, objective, theta, x, evaluate(network, objective, theta, rows));
      expect_right(network, objective, theta, x, evaluate(network, objective, theta, rows_of(x, 6)));
    }
  }
}

TEST(Evaluation, StopsWhenAskedTo) {
  const Network network = autoencoder(6, 3);
  const std::vector<double> theta = parameters_of<double>(network, 1), x(60, 0.5);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    Evaluator<double> evaluator(network, objective_of(network, Loss::squared, 0), 10);
    MemoryRows<double> source(rows_of(x, 6));
    Evaluator<double>::Request request;
    request.theta = theta.data();
    request.rows = &source;
    request.count = 10;
    std::int32_t words[] = {1, 0};
    CostParts parts;
    EXPECT_FALSE(evaluator.run(team, request, StopFlag(words), parts));
    StopFlag abandoned;
    abandoned.abandon();
    EXPECT_FALSE(evaluator.run(team, request, abandoned, parts));
    EXPECT_TRUE(evaluator.run(team, request, StopFlag(), parts));
  });
}

// Half a step would leave parameters that belong to no step.
TEST(Evaluation, FinishesAnUpdateThatHasBegunWhenItIsStopped) {
  const Network network = autoencoder(6, 3);
  const std::vector<double> theta = parameters_of<double>(network, 1), x(60, 0.5);
  std::vector<double> gradient(network.parameters);
  for (int threads : {1, 3}) {
    ThreadPool pool;
    pool.run(threads, [&](Team& team) {
      Evaluator<double> evaluator(network, objective_of(network, Loss::squared, 0), 10);
      MemoryRows<double> source(rows_of(x, 6));
      StopFlag stop;
      std::atomic<std::size_t> updated{0};
      const Evaluator<double>::Sink sink = [&](int, const Plan::Tile&, double*, std::size_t, std::size_t n) {
        stop.abandon();
        updated += n;
      };
      Evaluator<double>::Request request;
      request.theta = theta.data();
      request.rows = &source;
      request.count = 10;
      request.gradient = gradient.data();
      request.sink = &sink;
      CostParts parts;
      EXPECT_TRUE(evaluator.run(team, request, stop, parts));
      EXPECT_EQ(updated.load(), network.parameters);
    });
  }
}

// Of layers whose gradient is made by blocks of rows, and of others; in one chunk and in several.
TEST(Evaluation, PassesASinkTheBitsOfTheFullGradient) {
  for (int inputs : {20, 80}) {
    const Network network = autoencoder(inputs, 70);
    const Objective objective = objective_of(network, Loss::squared, 0);
    const std::vector<float> theta = parameters_of<float>(network, 1), x = random_vector<float>(700 * inputs, 0, 1, 2);
    const Rows rows = rows_of(x, inputs);
    for (const EvaluationMemory& memory : {EvaluationMemory{}, EvaluationMemory{1, 0}}) {
      const std::vector<float> whole = evaluate(network, objective, theta, rows, 2, memory).gradient;
      for (int threads : {1, 3}) {
        std::vector<float> seen(network.parameters, kNaN<float>);
        ThreadPool pool;
        pool.run(threads, [&](Team& team) {
          Evaluator<float> evaluator(network, objective, rows.count, memory);
          EXPECT_EQ(evaluator.plan(rows.count).chunks.count > 1, memory.chunk == 1);
          MemoryRows<float> source(rows);
          const Evaluator<float>::Sink sink = [&](int, const Plan::Tile&, const float* gradient, std::size_t offset,
                                                  std::size_t n) { std::copy(gradient, gradient + n, seen.data() + offset); };
          Evaluator<float>::Request request;
          request.theta = theta.data();
          request.rows = &source;
          request.count = rows.count;
          request.sink = &sink;
          CostParts parts;
          EXPECT_TRUE(evaluator.run(team, request, StopFlag(), parts));
        });
        EXPECT_TRUE(same_bits(seen, whole)) << inputs << " inputs, " << threads << " threads";
      }
    }
  }
}

}  // namespace
}  // namespace layerwise

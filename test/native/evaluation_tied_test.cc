// Networks in which layers share a matrix, or have no biases.
#include <gtest/gtest.h>

#include <vector>

#include "naive_cost.h"

namespace layerwise {
namespace {

constexpr int kRows = 6;

std::vector<double> rows_for(const Network& network) {
  return random_vector<double>(static_cast<std::size_t>(kRows) * network.inputs(), 0.1, 0.9, 4);
}

void check(const Network& network, const Objective& objective) {
  const std::vector<double> theta = parameters_of<double>(network, 3), x = rows_for(network);
  expect_right(network, objective, theta, x, evaluate(network, objective, theta, rows_of(x, network.inputs())));
}

TEST(TiedNetwork, CostAndGradientAreRightForEveryActivationAndLoss) {
  for (Loss loss : kLosses) {
    for (Activation hidden : kActivations) {
      for (Activation output : kActivations) {
        if (!possible(loss, output)) continue;
        SCOPED_TRACE(testing::Message() << "loss " << static_cast<int>(loss) << " activations " << static_cast<int>(hidden) << ' '
                                        << static_cast<int>(output));
        const Network network = tied_network({4, 3}, hidden, output);
        check(network, objective_of(network, loss, 0.01, {{0, PenaltyKind::l2, 0.3, 2, Average::exact}}));
      }
    }
  }
}

TEST(TiedNetwork, CostAndGradientAreRightWithBiasesOnEitherSideBothOrNeither) {
  for (bool encoder : {false, true}) {
    for (bool decoder : {false, true}) {
      Network network;
      network.add(4, 3, Activation::sigmoid, encoder);
      network.add_tied(0, Activation::sigmoid, decoder);
      EXPECT_EQ(network.parameters, 12u + (encoder ? 3 : 0) + (decoder ? 4 : 0));
      for (Loss loss : kLosses) {
        check(network, objective_of(network, loss, 0.01, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}}));
        check(network, objective_of(network, loss, 0.01, {{0, PenaltyKind::l1, 0, 0.5, Average::exact}}));
      }
    }
  }
}

TEST(TiedNetwork, OfManyLayersIsCorrectWithEveryPenaltyAndDecay) {
  for (bool biases : {false, true}) {
    const Network network = tied_network({5, 4, 3, 2}, Activation::sigmoid, Activation::identity, biases);
    ASSERT_EQ(network.depth(), 6);
    for (int layer = 0; layer < 5; layer++) {
      for (PenaltyKind kind : {PenaltyKind::kl, PenaltyKind::l2, PenaltyKind::l1, PenaltyKind::constraint}) {
        SCOPED_TRACE(testing::Message() << "layer " << layer << " penalty " << static_cast<int>(kind));
        Objective objective = objective_of(network, Loss::squared, 0, {{layer, kind, 0.2, 2, Average::exact}});
        // Settings for tied layers have no weights to act on.
        objective.weight_decay = {0.1, 0.02, 0, 50, 60, 70};
        check(network, objective);
      }
    }
  }
}

TEST(TiedNetwork, ManyLayersMayUseTheSameMatrix) {
  Network network;
  network.add(4, 3, Activation::tanh);
  network.add_tied(0, Activation::sigmoid, true);
  network.add(4, 2, Activation::sigmoid, false);
  network.add_tied(2, Activation::tanh, false);
  network.add(4, 3, Activation::sigmoid);
  network.add_tied(0, Activation::identity, true);
  check(network, objective_of(network, Loss::squared, 0.05, {{2, PenaltyKind::kl, 0.2, 1, Average::exact}}));
}

TEST(TiedNetwork, DecaysItsMatrixOnce) {
  const Network tied = tied_network({4, 3}, Activation::sigmoid, Activation::sigmoid, false);
  const std::vector<double> theta = parameters_of<double>(tied, 3), x = rows_for(tied);
  double square = 0;
  for (double w : theta) square += w * w;
  const auto with = evaluate(tied, objective_of(tied, Loss::squared, 0.4), theta, rows_of(x, 4));
  const auto without = evaluate(tied, objective_of(tied, Loss::squared, 0), theta, rows_of(x, 4));
  EXPECT_NEAR(with.parts.weight_decay, 0.4 / 2 * square, tolerance::kCost);
  for (std::size_t i = 0; i < theta.size(); i++) {
    EXPECT_NEAR(with.gradient[i], without.gradient[i] + 0.4 * theta[i], tolerance::kCost);
  }
}

// min 1/2m |X W^T W - X|^2 + beta |mean of X W^T - rho|^2: with D = (A W - X)/m
//   dW = A^T D + (D W^T + 2 beta/m (mean - rho))^T X
TEST(TiedNetwork, OfLinearLayersWithoutBiasesHasItsClosedGradient) {
  constexpr int n = 5, h = 3;
  const double beta = 0.7;
  const std::vector<double> rho = {0.1, -0.4, 0.3};
  const Network network = tied_network({n, h}, Activation::identity, Activation::identity, false);
  const Objective objective = objective_of(network, Loss::squared, 0, {{0, PenaltyKind::l2, 0, beta, Average::exact, rho}});
  const std::vector<double> w = parameters_of<double>(network, 3), x = rows_for(network);
  std::vector<double> a(kRows * h, 0), d(kRows * n), mean(h, 0), gradient(h * n, 0);
  for (int i = 0; i < kRows; i++) {
    for (int j = 0; j < h; j++) {
      for (int k = 0; k < n; k++) a[i * h + j] += x[i * n + k] * w[j * n + k];
      mean[j] += a[i * h + j] / kRows;
    }
  }
  double cost = 0;
  for (int i = 0; i < kRows; i++) {
    for (int k = 0; k < n; k++) {
      double y = 0;
      for (int j = 0; j < h; j++) y += a[i * h + j] * w[j * n + k];
      d[i * n + k] = (y - x[i * n + k]) / kRows;
      cost += kRows * d[i * n + k] * d[i * n + k] / 2;
    }
  }
  for (int i = 0; i < kRows; i++) {
    for (int j = 0; j < h; j++) {
      double back = 2 * beta / kRows * (mean[j] - rho[j]);
      for (int k = 0; k < n; k++) back += d[i * n + k] * w[j * n + k];
      for (int k = 0; k < n; k++) gradient[j * n + k] += a[i * h + j] * d[i * n + k] + back * x[i * n + k];
    }
  }
  for (int j = 0; j < h; j++) cost += beta * (mean[j] - rho[j]) * (mean[j] - rho[j]);
  const auto got = evaluate(network, objective, w, rows_of(x, n));
  EXPECT_NEAR(got.parts.total(), cost, tolerance::kCost);
  EXPECT_LT(gradient_error(got.gradient, gradient), tolerance::kSameGradient * kEpsilon<double>);
}

// Wide enough for several tiles and row blocks: the gradient is that of W plus the transposed one of its image.
template <typename T>
void expect_sum_of_both_gradients() {
  constexpr int inputs = 301, hidden = 77, count = 531;
  const Network tied = tied_network({inputs, hidden}, Activation::sigmoid, Activation::sigmoid);
  const Network untied = autoencoder(inputs, hidden);
  ASSERT_GT(Plan::evaluation(tied, count, sizeof(T)).tiles.size(), 3u);
  const std::vector<Penalty> penalties = {{0, PenaltyKind::kl, 0.2, 1, Average::exact}};
  const std::vector<T> theta = parameters_of<T>(tied, 1), x = random_vector<T>(std::size_t(count) * inputs, 0, 1, 2);
  const std::size_t weights = std::size_t(inputs) * hidden;
  std::vector<T> apart(untied.parameters);
  std::copy(theta.begin(), theta.begin() + weights + hidden, apart.begin());
  const auto image = [&](std::size_t i) { return untied.layers[1].weights_at + i % inputs * hidden + i / inputs; };
  for (std::size_t i = 0; i < weights; i++) apart[image(i)] = theta[i];
  std::copy(theta.end() - inputs, theta.end(), apart.end() - inputs);
  const auto got = evaluate(tied, objective_of(tied, Loss::squared, 0, penalties), theta, rows_of(x, inputs));
  const auto both = evaluate(untied, objective_of(untied, Loss::squared, 0, penalties), apart, rows_of(x, inputs));
  std::vector<T> expected(both.gradient.begin(), both.gradient.begin() + weights + hidden);
  for (std::size_t i = 0; i < weights; i++) expected[i] += both.gradient[image(i)];
  expected.insert(expected.end(), both.gradient.end() - inputs, both.gradient.end());
  EXPECT_LT(gradient_error(got.gradient, expected), tolerance::kSameGradient * kEpsilon<T>);
  EXPECT_NEAR(got.parts.total(), both.parts.total(), tolerance::kLoss * kEpsilon<T> * both.parts.total());
}

TEST(TiedNetwork, HasTheSumOfBothGradientsOfTheUntiedNetwork) {
  expect_sum_of_both_gradients<float>();
  expect_sum_of_both_gradients<double>();
}

TEST(UnbiasedLayers, CostAndGradientAreCorrectAtEveryPosition) {
  for (int unbiased = 0; unbiased < 8; unbiased++) {
    Network network;
    network.add(4, 3, Activation::tanh, (unbiased & 1) == 0);
    network.add(3, 2, Activation::sigmoid, (unbiased & 2) == 0);
    network.add(2, 4, Activation::sigmoid, (unbiased & 4) == 0);
    for (Loss loss : kLosses) {
      check(network, objective_of(network, loss, 0.01,
                                  {{0, PenaltyKind::l1, 0, 0.5, Average::exact}, {1, PenaltyKind::kl, 0.2, 3, Average::exact}}));
    }
  }
  Network one;
  one.add(4, 4, Activation::sigmoid, false);
  check(one, objective_of(one, Loss::cross_entropy, 0.1));
}

}  // namespace
}  // namespace layerwise

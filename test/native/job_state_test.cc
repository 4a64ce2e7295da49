// A training job's state: taken out at any step and put into another job, which goes on with the same bits.
#include <gtest/gtest.h>

#include <chrono>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <thread>
#include <vector>

#include "job_testing.h"
#include "products/choose.h"

namespace layerwise {
namespace {

using Kind = OptimizerOptions::Kind;

constexpr int kInputs = 7, kUnits = 4, kRows = 23, kBatch = 5, kEpochs = 3;

// What is trained, and by what.
struct Case {
  const char* name;
  Network network;
  Objective objective;
  TrainingOptions options;
  bool rounds = false;  // each epoch is a round of the constraint
};

Objective objective_with(const Network& network, PenaltyKind kind, Average average) {
  return objective_of(network, Loss::squared, 0.02, {{0, kind, 0.2, 3, average}});
}

TrainingOptions with(TrainingOptions options, const std::function<void(TrainingOptions&)>& change) {
  change(options);
  return options;
}

std::vector<Case> cases() {
  const Network network = autoencoder(kInputs, kUnits);
  const Network tied = tied_network({kInputs, kUnits}, Activation::tanh, Activation::sigmoid);
  const Network classifier = network_of({kInputs, kUnits, 3}, Activation::sigmoid, Activation::softmax);
  const Objective moving = objective_with(network, PenaltyKind::kl, Average::moving);
  const Objective batch = objective_with(network, PenaltyKind::l2, Average::batch);
  const Objective exact = objective_with(network, PenaltyKind::l2, Average::exact);
  const TrainingOptions adam = options_of(Kind::adam, kBatch), momentum = options_of(Kind::momentum, kBatch);
  const TrainingOptions descent = options_of(Kind::gradient_descent, kBatch), lbfgs = options_of(Kind::lbfgs, 0);
  const auto noise = [](Corruption::Kind kind) {
    return [kind](TrainingOptions& options) { options.corruption = Corruption{kind, 0.3}; };
  };
  // Some rows of eight bytes a value.
  const auto blocks = [](TrainingOptions& options) {
    options.shuffle = Shuffling::blocks;
    options.window_bytes = 8 * kInputs * 8;
  };
  const auto split = [](TrainingOptions& options) { options.fused = false; };
  const auto bounded = [](TrainingOptions& options) { options.weight_constraint = {WeightConstraint::Kind::frobenius, 2}; };
  return {
      {"adam", network, moving, adam},
      {"adam, later fit", network, batch, with(adam, [](TrainingOptions& o) { o.fit = 3; })},
      {"adam, split", network, moving, with(adam, split)},
      {"adam, all rows", network, exact, options_of(Kind::adam, 0)},
      {"adam, all rows, noise", network, exact, with(options_of(Kind::adam, 0), noise(Corruption::Kind::masking))},
      {"adam, noise", network, moving, with(adam, noise(Corruption::Kind::gaussian))},
      {"adam, bounded weights", network, batch, with(adam, bounded)},
      {"adam, bounded weights, split", network, batch, with(with(adam, bounded), split)},
      {"adam, clipped", network, moving, with(adam, [](TrainingOptions& o) { o.clip_norm = 0.05; })},
      {"adam, constraint", network, objective_with(network, PenaltyKind::constraint, Average::moving), adam, true},
      {"adam, tied", tied, objective_with(tied, PenaltyKind::l1, Average::batch), adam},
      {"adam, classifier", classifier, objective_of(classifier, Loss::log_loss, 0.01), adam},
      {"momentum", network, moving, momentum},
      {"momentum, rows in their order", network, batch, with(momentum, [](TrainingOptions& o) { o.shuffle = Shuffling::none; })},
      {"momentum, rows in blocks", network, batch, with(momentum, blocks)},
      {"adam, rows in blocks, noise", network, moving, with(with(adam, blocks), noise(Corruption::Kind::masking))},
      {"momentum, all rows", network, exact, options_of(Kind::momentum, 0)},
      {"gradient descent", network, moving, descent},
      {"gradient descent, all rows, split", network, exact, options_of(Kind::gradient_descent, 0, false)},
      {"lbfgs", network, exact, lbfgs},
      {"lbfgs, two pairs", network, exact, with(lbfgs, [](TrainingOptions& o) { o.optimizer.history = 2; })},
      {"lbfgs, noise", network, exact, with(lbfgs, noise(Corruption::Kind::masking))},
      {"lbfgs, constraint", network, objective_with(network, PenaltyKind::constraint, Average::exact), lbfgs, true},
      {"lbfgs, classifier", classifier, objective_of(classifier, Loss::log_loss, 0.01), lbfgs},
  };
}

template <typename T>
class JobState : public testing::Test {
 protected:
  const std::vector<T> x = random_vector<T>(kRows * kInputs, 0.1, 0.9, 2);
  const std::vector<std::uint32_t> labels = labels_of(kRows, 3, 5);
  Rows rows;

  JobState() {
    rows = rows_of(x, kInputs);
    rows.labels = labels.data();
  }

  TrainingJob<T> open(const Case& c, unsigned seed = 1) const {
    return TrainingJob<T>(c.network, c.objective, c.options, parameters_of<T>(c.network, seed).data(), kRows);
  }
  Span span_of(const Case& c, int epoch, double budget) const {
    Span span{epoch, 0.05 / (1 + epoch), budget};
    if (!c.rounds) return span;
    span.round = 1 + epoch / 2;
    span.constraint_weight = 2.0 * span.round;
    span.multipliers = {0.1 * span.round, -0.05, 0, 0.2};
    return span;
  }
  // lbfgs has more iterations than pairs, so that the ring of these goes round.
  int epochs(const Case& c) const { return c.options.optimizer.kind == Kind::lbfgs ? 2 * kEpochs : kEpochs; }

  // Step by step, at most `steps` of them; appends what each epoch came to.
  int go_on(Team& team, TrainingJob<T>& job, const Case& c, int steps, std::vector<SpanResult>& done) const {
    int taken = 0;
    while (taken < steps && job.epoch() < epochs(c)) {
      const SpanResult result = run(job, team, rows, span_of(c, job.epoch(), 0), StopFlag());
      if (result.epoch_done) done.push_back(result);
      taken++;
    }
    return taken;
  }
};
TYPED_TEST_SUITE(JobState, Precisions);

template <typename T>
std::vector<T> theta_of(const TrainingJob<T>& job, const Network& network) {
  return {job.theta(), job.theta() + network.parameters};
}

constexpr int kAll = 1 << 20;

TYPED_TEST(JobState, GoesOnWithTheSameBitsFromEveryStep) {
  using T = TypeParam;
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    ThreadPool pool;
    pool.run(3, [&](Team& three) {
      auto whole = this->open(c);
      Trained<T> expected;
      const int steps = this->go_on(three, whole, c, kAll, expected.spans);
      expected.theta = theta_of(whole, c.network);
      for (int stop = 0; stop <= steps; stop += kSanitized ? 4 : 1) {
        SCOPED_TRACE(testing::Message() << "after step " << stop);
        for (int threads : {1, 3}) {
          Trained<T> got;
          auto first = this->open(c);
          // Of other parameters: nothing of its own may remain.
          auto second = this->open(c, 9);
          ThreadPool other;
          other.run(4 - threads, [&](Team& team) { this->go_on(team, first, c, stop, got.spans); });
          second.restore(first.state());
          EXPECT_EQ(second.epoch(), first.epoch());
          other.run(threads, [&](Team& team) { this->go_on(team, second, c, kAll, got.spans); });
          got.theta = theta_of(second, c.network);
          expect_same_bits(expected, got);
        }
      }
    });
  }
}

// Entries of two states are the same, bit for bit.
bool same(const TrainingState& a, const TrainingState& b) {
  if (a.entries().size() != b.entries().size()) return false;
  for (std::size_t i = 0; i < a.entries().size(); i++) {
    const auto &one = a.entries()[i], &other = b.entries()[i];
    if (one.name != other.name || one.value.index() != other.value.index()) return false;
    const bool equal = std::visit(
        [&](const auto& value) {
          using Value = std::decay_t<decltype(value)>;
          const auto& against = std::get<Value>(other.value);
          if constexpr (std::is_same_v<Value, std::int64_t>) {
            return value == against;
          } else {
            return value.size == against.size &&
                   (value.size == 0 || std::memcmp(value.data.get(), against.data.get(), value.size * sizeof(*value.data)) == 0);
          }
        },
        one.value);
    if (!equal) return false;
  }
  return true;
}

TYPED_TEST(JobState, OfAJobThatRestoredOneIsThatState) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    ThreadPool pool;
    pool.run(2, [&](Team& team) {
      for (int stop : {0, 1, 4, 7}) {
        std::vector<SpanResult> done;
        auto first = this->open(c), second = this->open(c, 9);
        this->go_on(team, first, c, stop, done);
        second.restore(first.state());
        EXPECT_TRUE(same(first.state(), second.state()));
      }
    });
  }
}

TYPED_TEST(JobState, KeepsWhatItIsWhenTheJobGoesOn) {
  using T = TypeParam;
  const Case c = cases()[0];
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    std::vector<SpanResult> done;
    auto job = this->open(c), again = this->open(c);
    this->go_on(team, job, c, 3, done);
    const TrainingState state = job.state();
    this->go_on(team, job, c, kAll, done);
    again.restore(state);
    this->go_on(team, again, c, kAll, done);
    EXPECT_TRUE(same_bits(theta_of<T>(job, c.network), theta_of<T>(again, c.network)));
  });
}

// Stops a job from another thread, wherever it is: in the middle of a step, of an iteration or of its first evaluation.
TEST(JobStateCancelled, IsThatOfTheLastCompleteStep) {
  constexpr int kEnd = 3, kMany = kSanitized ? 257 : 2001;
  const Network network = autoencoder(301, 77);
  const std::vector<float> theta = parameters_of<float>(network, 1), x = random_vector<float>(kMany * 301, 0, 1, 2);
  const Rows rows = rows_of(x, 301);
  for (const TrainingOptions& options :
       {options_of(Kind::adam, 64), options_of(Kind::adam, 64, false), options_of(Kind::adam, 0), options_of(Kind::lbfgs, 0)}) {
    const Average average = options.batch_size == 0 ? Average::exact : Average::moving;
    const Objective objective = objective_of(network, Loss::squared, 3e-3, {{0, PenaltyKind::kl, 0.1, 3, average}});
    const auto expected = train(network, objective, options, theta, rows, kEnd, 0.01, 2);
    for (int microseconds : {0, 1000, 3000, 9000, 27000}) {
      SCOPED_TRACE(testing::Message() << "after " << microseconds << " microseconds");
      ThreadPool pool;
      pool.run(2, [&](Team& team) {
        TrainingJob<float> job(network, objective, options, theta.data(), rows.count);
        TrainingJob<float> other(network, objective, options, theta.data(), rows.count);
        Trained<float> got, same_job;
        std::int32_t word = 0;
        const StopFlag stop(&word);
        std::thread canceller([&] {
          std::this_thread::sleep_for(std::chrono::microseconds(microseconds));
          __atomic_store_n(&word, 1, __ATOMIC_RELAXED);
        });
        while (job.epoch() < kEnd) {
          const SpanResult result = run(job, team, rows, {job.epoch(), 0.01, kWholeEpoch}, stop);
          if (result.cancelled) break;
          got.spans.push_back(result);
        }
        canceller.join();
        other.restore(job.state());
        same_job.spans = got.spans;
        const auto finish = [&](TrainingJob<float>& one, Trained<float>& out) {
          while (one.epoch() < kEnd) {
            out.spans.push_back(run(one, team, rows, {one.epoch(), 0.01, kWholeEpoch}, StopFlag()));
          }
          out.theta = theta_of(one, network);
          expect_same_bits(expected, out);
        };
        finish(other, got);
        finish(job, same_job);
      });
    }
  }
}

// Whether zeros are left out is decided by a look at some rows under noise: here of an amount at which the noise of a later epoch
// would decide otherwise than that of the first.
TEST(JobStateNoise, DoesNotDecideAnewHowProductsAreMade) {
  constexpr int kWidth = 201, kMany = 128, kSteps = 64;
  const Network network = autoencoder(kWidth, 151);
  ASSERT_TRUE(may_be_grouped(network.layers.front(), kSteps, sizeof(float)));
  const std::vector<float> theta = parameters_of<float>(network, 1), x = random_vector<float>(kMany * kWidth, 0.1, 0.9, 2);
  const Rows rows = rows_of(x, kWidth);
  const Objective objective = objective_of(network, Loss::squared, 3e-3);
  TrainingOptions options = options_of(Kind::adam, kSteps);
  const auto leaves_out = [&](double amount, int epoch) {
    Evaluator<float> evaluator(network, objective, kSteps, {}, true);
    const Noise noise({Corruption::Kind::masking, amount}, options.seed, options.fit, epoch);
    MemoryRows<float> source(rows);
    RowSelection<float> selection;
    selection.rows = &source;
    selection.noise = &noise;
    evaluator.choose_products(selection, StopFlag());
    return evaluator.leaves_zeros_out();
  };
  double kept = 0, left_out = 1;
  ASSERT_FALSE(leaves_out(kept, 0));
  ASSERT_TRUE(leaves_out(left_out, 0));
  while (left_out - kept > 1e-5) {
    const double middle = (kept + left_out) / 2;
    (leaves_out(middle, 0) ? left_out : kept) = middle;
  }
  options.corruption = Corruption{Corruption::Kind::masking, left_out};
  int epoch = 1;
  while (epoch < 100 && leaves_out(left_out, epoch)) epoch++;
  ASSERT_LT(epoch, 100);

  const auto expected = train(network, objective, options, theta, rows, epoch + 1, 0.01, 2);
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    TrainingJob<float> first(network, objective, options, theta.data(), kMany);
    TrainingJob<float> second(network, objective, options, theta.data(), kMany);
    for (int done = 0; done < epoch; done++) run(first, team, rows, {done, 0.01, kWholeEpoch}, StopFlag());
    second.restore(first.state());
    run(second, team, rows, {epoch, 0.01, kWholeEpoch}, StopFlag());
    EXPECT_TRUE(same_bits(expected.theta, theta_of(second, network)));
  });
}

// A state with one entry changed: left out where `change` returns false.
TrainingState changed(const TrainingState& state, const std::function<bool(TrainingState::Entry&)>& change) {
  TrainingState out;
  for (TrainingState::Entry entry : state.entries()) {
    if (change(entry)) out.add(entry.name, entry.value);
  }
  return out;
}

TYPED_TEST(JobState, IsRefusedWhereAnEntryIsMissingOrUnknownOrAnotherThing) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    ThreadPool pool;
    pool.run(2, [&](Team& team) {
      std::vector<SpanResult> done;
      auto job = this->open(c);
      this->go_on(team, job, c, 2, done);
      const TrainingState state = job.state();
      const auto refused = [&](const TrainingState& damaged) {
        EXPECT_THROW(this->open(c).restore(damaged), std::invalid_argument);
      };
      for (const auto& entry : state.entries()) {
        SCOPED_TRACE(entry.name);
        const auto is = [&](const TrainingState::Entry& one) { return one.name == entry.name; };
        refused(changed(state, [&](auto& one) { return !is(one); }));
        refused(changed(state, [&](auto& one) {
          if (is(one)) one.name += "x";
          return true;
        }));
        refused(changed(state, [&](auto& one) {
          if (!is(one)) return true;
          if (auto* integer = std::get_if<std::int64_t>(&one.value)) *integer = -2;
          if (auto* floats = std::get_if<StateVector<float>>(&one.value)) floats->size++;
          if (auto* doubles = std::get_if<StateVector<double>>(&one.value)) doubles->size++;
          return true;
        }));
        refused(changed(state, [&](auto& one) {
          if (!is(one)) return true;
          if (std::holds_alternative<std::int64_t>(one.value)) {
            one.value = StateVector<double>{nullptr, 1};
          } else {
            one.value = std::int64_t{1};
          }
          return true;
        }));
      }
      TrainingState more = changed(state, [](auto&) { return true; });
      more.integer("more", 1);
      refused(more);
    });
  }
}

TYPED_TEST(JobState, IsRefusedByAJobOfAnotherKind) {
  using T = TypeParam;
  using Other = std::conditional_t<std::is_same_v<T, float>, double, float>;
  const Case adam = cases()[0];
  ThreadPool pool;
  pool.run(2, [&](Team& team) {
    std::vector<SpanResult> done;
    auto job = this->open(adam);
    this->go_on(team, job, adam, 4, done);
    const TrainingState state = job.state();
    for (Kind kind : {Kind::gradient_descent, Kind::momentum, Kind::lbfgs}) {
      Case other = adam;
      other.options = options_of(kind, kind == Kind::lbfgs ? 0 : kBatch);
      EXPECT_THROW(this->open(other).restore(state), std::invalid_argument);
    }
    Case wider = adam, larger = adam, constrained = adam;
    wider.network = autoencoder(kInputs, kUnits + 1);
    larger.options.batch_size = 12;  // two steps an epoch
    constrained.objective = objective_with(adam.network, PenaltyKind::constraint, Average::moving);
    for (const Case& other : {wider, larger, constrained}) {
      EXPECT_THROW(this->open(other).restore(state), std::invalid_argument);
    }
    TrainingJob<Other> in_other_precision(adam.network, adam.objective, adam.options,
                                          parameters_of<Other>(adam.network, 1).data(), kRows);
    EXPECT_THROW(in_other_precision.restore(state), std::invalid_argument);
  });
}

}  // namespace
}  // namespace layerwise

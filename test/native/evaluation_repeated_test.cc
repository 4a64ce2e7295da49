// Runs over the same rows again and again: what was made of the rows is kept, and nothing else is different.
#include <gtest/gtest.h>

#include <vector>

#include "core_testing.h"

namespace layerwise {
namespace {

constexpr int kInputs = 211, kHidden = 37, kRows = 1301;
constexpr EvaluationMemory kOneChunk = {}, kChunksKept = {0, std::size_t{1} << 30}, kNothingKept = {0, 0};

// A part of them is not zero.
std::vector<std::uint8_t> bytes(double part) {
  std::vector<std::uint8_t> out;
  for (double draw : random_vector<double>(std::size_t{kRows} * kInputs, 0, 1, 5)) {
    out.push_back(draw < part ? static_cast<std::uint8_t>(1 + 254 * draw / part) : 0);
  }
  return out;
}

std::vector<double> doubles(const std::vector<std::uint8_t>& bytes) {
  std::vector<double> out;
  for (std::uint8_t byte : bytes) out.push_back(byte / 255.0);
  return out;
}

Network autoencoder() { return network_of({kInputs, kHidden, kInputs}, Activation::sigmoid, Activation::sigmoid); }

Objective objective() { return objective_of(autoencoder(), Loss::squared, 0, {{0, PenaltyKind::kl, 0.2, 3, Average::exact}}); }

// An evaluator that runs over the same rows with one theta after another.
class Repeated {
 public:
  Repeated(const Rows& rows, EvaluationMemory memory, const Noise* noise = nullptr)
      : source_(rows), evaluator_(autoencoder(), objective(), kRows, memory, noise != nullptr) {
    request_.rows = &source_;
    request_.count = kRows;
    request_.noise = noise;
    request_.repeated = true;
  }

  Evaluated<double> run(const std::vector<double>& theta, const StopFlag& stop = StopFlag()) {
    Evaluated<double> out;
    out.gradient.assign(theta.size(), kNaN<double>);
    request_.theta = theta.data();
    request_.gradient = out.gradient.data();
    pool_.run(2, [&](Team& team) { EXPECT_EQ(evaluator_.run(team, request_, stop, out.parts), !stop.raised()); });
    out.means = evaluator_.mean_activation();
    return out;
  }

  bool leaves_zeros_out() const { return evaluator_.leaves_zeros_out(); }

 private:
  ThreadPool pool_;
  MemoryRows<double> source_;
  Evaluator<double> evaluator_;
  Evaluator<double>::Request request_;
};

TEST(RepeatedRuns, HaveTheBitsOfSingleRuns) {
  const Network network = autoencoder();
  ASSERT_EQ(Plan::evaluation(network, kRows, sizeof(double), kOneChunk.chunk).chunks.count, 1);
  ASSERT_GT(Plan::evaluation(network, kRows, sizeof(double), kNothingKept.chunk).chunks.count, 2);
  const Noise noise({Corruption::Kind::masking, 0.3}, 1, 0, 0);
  std::int32_t raised = 1;
  for (double part : {0.05, 1.0}) {
    const std::vector<std::uint8_t> of_bytes = bytes(part);
    const std::vector<double> of_doubles = doubles(of_bytes);
    Rows converted = rows_of(of_bytes, kInputs);
    converted.scale = 1.0 / 255;
    for (const Rows& rows : {converted, rows_of(of_doubles, kInputs)}) {
      for (const Noise* under : {static_cast<const Noise*>(nullptr), &noise}) {
        for (EvaluationMemory memory : {kOneChunk, kChunksKept, kNothingKept}) {
          Repeated repeated(rows, memory, under);
          repeated.run(parameters_of<double>(network, 4), StopFlag(&raised));
          for (unsigned seed : {1, 2, 3}) {
            const std::vector<double> theta = parameters_of<double>(network, seed);
            expect_same_bits(evaluate(network, objective(), theta, rows, 2, memory, under), repeated.run(theta));
            if (seed == 2) repeated.run(theta, StopFlag(&raised));
          }
          EXPECT_EQ(repeated.leaves_zeros_out(), part < 1);
        }
      }
    }
  }
}

TEST(RepeatedRuns, ReadRowsOnceIfTheyFitAChunk) {
  for (double part : {0.05, 1.0}) {
    std::vector<std::uint8_t> data = bytes(part);
    Rows rows = rows_of(data, kInputs);
    rows.scale = 1.0 / 255;
    const std::vector<double> theta = parameters_of<double>(autoencoder(), 1);
    Repeated repeated(rows, kOneChunk);
    const auto first = repeated.run(theta);
    data.assign(data.size(), 17);
    expect_same_bits(first, repeated.run(theta));
  }
}

// Only the hidden layer uses groups: it shows whether they are those of the first run; the loss shows the current rows.
TEST(RepeatedRuns, GroupRowsOnceIfThereIsRoomForTheGroupsOfAllChunks) {
  const std::vector<double> theta = parameters_of<double>(autoencoder(), 1);
  for (const auto& [memory, once] : {std::pair(kChunksKept, true), std::pair(kNothingKept, false)}) {
    std::vector<double> data = doubles(bytes(0.05));
    Repeated repeated(rows_of(data, kInputs), memory);
    const auto first = repeated.run(theta);
    data.assign(data.size(), 0.5);
    const auto second = repeated.run(theta);
    EXPECT_NE(first.parts.loss, second.parts.loss);
    EXPECT_EQ(first.means == second.means, once);
  }
}

}  // namespace
}  // namespace layerwise

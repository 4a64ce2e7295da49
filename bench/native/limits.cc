// What the benchmarks compare training with, measured by a program without Node on the core's own thread pool. It lives through
// a benchmark and answers every line of standard input with one line:
//
//   describe                            OpenBLAS version, its kernel, vector level
//   open INPUTS HIDDEN BATCH ROWS float32|uint8 RHO BETA LAMBDA RATE
//                                       flops of the products of one step; the commands below are about this training
//   threads N                           the threads that training uses when it is offered N
//   limit N SECONDS                     GFLOP/s of sgemm on 2048 x 2048 x 2048, one call a thread on rows of its own
//   plan N SECONDS                      GFLOP/s of the products of training steps alone
//   train N SECONDS                     samples/s of the training itself
//
// What it cannot do it answers with "error REASON".
#include <chrono>
#include <cmath>
#include <iostream>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>

#include "core/blas.h"
#include "core/random.h"
#include "core/training.h"

namespace layerwise {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

Buffer<float> uniform_buffer(std::size_t size, double low, double high, std::uint64_t index) {
  Buffer<float> buffer(size);
  uniform(buffer.data(), size, low, high, 0, static_cast<std::uint32_t>(Stream::weights), index);
  return buffer;
}

// Calls work() over and over, once before the clock starts; returns how often a second.
template <typename Work>
double rate_of(double seconds, const Work& work) {
  work();
  int count = 0;
  const auto start = Clock::now();
  do {
    work();
    count++;
  } while (seconds_since(start) < seconds);
  return count / seconds_since(start);
}

// What the machine can do: one product of 2048 x 2048 matrices, each thread on its own rows of it.
class SquareProduct {
 public:
  double gflops(ThreadPool& pool, int threads, double seconds) const {
    const Cut cut{kSize, threads};
    double rate = 0;
    pool.run(threads, [&](Team& team) {
      rate = rate_of(seconds, [&] {
        team.each(cut.count, [&](int i) {
          const int begin = cut.begin(i), rows = cut.length(i);
          gemm<float>(Transpose::no, Transpose::yes, 1, view(a_).rows_from(begin, rows), view(b_), 0,
                      view(c_).rows_from(begin, rows));
        });
      });
    });
    return rate * 2.0 * kSize * kSize * kSize / 1e9;
  }

 private:
  static constexpr int kSize = 2048;
  static MatrixView<float> view(const Buffer<float>& buffer) { return {buffer.data(), kSize, kSize}; }

  Buffer<float> a_ = uniform_buffer(kSize * kSize, -1, 1, 0), b_ = uniform_buffer(kSize * kSize, -1, 1, 1),
                c_ = Buffer<float>(kSize * kSize);
};

// The products of one training step, cut and ordered as Evaluator does for a penalty on the first layer's mean, on memory of the
// same shapes; nothing else of a step.
class StepProducts {
 public:
  StepProducts(const Network& network, int rows) : network_(network), plan_(Plan::evaluation(network, rows, sizeof(float))) {
    if (plan_.chunks.count != 1) throw std::invalid_argument("a step of so many rows is worked off in several chunks");
    theta_ = uniform_buffer(network.parameters, -0.1, 0.1, 0);
    gradient_ = Buffer<float>(network.parameters);
    x_ = uniform_buffer(static_cast<std::size_t>(rows) * network.inputs(), 0, 1, 1);
    for (const DenseLayer& layer : network.layers) {
      activations_.emplace_back(static_cast<std::size_t>(rows) * layer.outputs);
      deltas_.emplace_back(static_cast<std::size_t>(rows) * layer.outputs);
    }
    for (const DenseLayer& layer : network.layers) {
      const double product = 2.0 * rows * static_cast<double>(layer.weight_count());
      flops_ += product * (&layer == &network.layers.front() ? 2 : 3);
    }
  }

  double flops() const { return flops_; }

  void run(Team& team) const {
    const Cut blocks = plan_.blocks(plan_.chunks.total);
    team.each(blocks.count, [&](int i) { rows_block(blocks.begin(i), blocks.length(i)); });
    team.each(static_cast<int>(plan_.tiles.size()), [&](int i) { tile(plan_.tiles[i]); });
  }

 private:
  MatrixView<float> input(int layer) const { return layer == 0 ? view(x_, network_.inputs()) : activations(layer - 1); }
  MatrixView<float> activations(int layer) const { return view(activations_[layer], network_.layers[layer].outputs); }
  MatrixView<float> deltas(int layer) const {
    return layer + 1 == network_.depth() ? activations(layer) : view(deltas_[layer], network_.layers[layer].outputs);
  }
  MatrixView<float> view(const Buffer<float>& buffer, int cols) const { return {buffer.data(), plan_.chunks.total, cols}; }

  // Forward through all layers, back to the first.
  void rows_block(int begin, int rows) const {
    for (int l = 0; l < network_.depth(); l++) {
      gemm<float>(Transpose::no, Transpose::yes, 1, input(l).rows_from(begin, rows), network_.layers[l].weights(theta_.data()), 0,
                  activations(l).rows_from(begin, rows));
    }
    for (int l = network_.depth() - 1; l > 0; l--) {
      gemm<float>(Transpose::no, Transpose::no, 1, deltas(l).rows_from(begin, rows), network_.layers[l].weights(theta_.data()), 0,
                  deltas(l - 1).rows_from(begin, rows));
    }
  }

  void tile(const Plan::Tile& tile) const {
    if (tile.rows == 0) return;
    std::size_t n = 0;
    float* gradient = gradient_.data() + Evaluator<float>::tile_offset(network_, tile, &n);
    const MatrixView<float> d = deltas(tile.layer).block(0, tile.row, plan_.chunks.total, tile.rows), x = input(tile.layer);
    const Cut slices = Cut::at_most(plan_.chunks.total, tile.slice);
    for (int s = 0; s < slices.count; s++) {
      const int begin = slices.begin(s), rows = slices.length(s);
      gemm<float>(Transpose::yes, Transpose::no, 1, d.rows_from(begin, rows), x.rows_from(begin, rows), s > 0 ? 1 : 0,
                  {gradient, tile.rows, network_.layers[tile.layer].inputs});
    }
  }

  Network network_;
  Plan plan_;
  Buffer<float> theta_, gradient_, x_;
  std::vector<Buffer<float>> activations_, deltas_;
  double flops_ = 0;
};

// One sparse autoencoder and random rows to train it on.
class Training {
 public:
  explicit Training(std::istream& in) {
    int inputs = 0, hidden = 0, rows = 0;
    std::string storage;
    double rho = 0, beta = 0, lambda = 0;
    in >> inputs >> hidden >> options_.batch_size >> rows >> storage >> rho >> beta >> lambda >> rate_;
    if (!in || inputs < 1 || hidden < 1 || rows < 1 || options_.batch_size < 1 || options_.batch_size > rows) {
      throw std::invalid_argument("open: bad arguments");
    }
    network_.add(inputs, hidden, Activation::sigmoid);
    network_.add(hidden, inputs, Activation::sigmoid);
    objective_.weight_decay = {lambda, lambda};
    objective_.penalties = {{0, PenaltyKind::kl, rho, beta, Average::moving}};
    products_ = std::make_unique<StepProducts>(network_, options_.batch_size);
    make_rows(storage, rows, inputs);
    make_parameters(std::sqrt(6.0 / (inputs + hidden + 1)));
  }

  double flops() const { return products_->flops(); }

  int threads(int offered) const {
    return useful_threads(TrainingJob<float>::flops_per_step(network_, options_.batch_size), offered);
  }

  double plan_rate(ThreadPool& pool, int offered, double seconds) const {
    double rate = 0;
    pool.run(threads(offered), [&](Team& team) { rate = rate_of(seconds, [&] { products_->run(team); }); });
    return rate * flops() / 1e9;
  }

  // Spans as the addon runs them; the clock starts after the first.
  double train_rate(ThreadPool& pool, int offered, double seconds) const {
    double rate = 0;
    pool.run(threads(offered), [&](Team& team) {
      TrainingJob<float> job(network_, objective_, options_, theta_.data(), rows_.count);
      const StopFlag stop;
      Span span;
      span.learning_rate = rate_;
      double before = 0, elapsed = 0;
      auto start = Clock::now();
      for (bool first = true; first || elapsed < seconds; first = false) {
        const SpanResult result = job.run(team, rows_, span, stop);
        if (result.diverged) return;
        const double seen = static_cast<double>(span.epoch) * rows_.count +
                            std::min<double>(rows_.count, static_cast<double>(result.steps) * options_.batch_size);
        if (result.epoch_done) span.epoch++;
        if (first) {
          before = seen;
          start = Clock::now();
          continue;
        }
        elapsed = seconds_since(start);
        rate = (seen - before) / elapsed;
      }
    });
    if (rate == 0) throw std::runtime_error("train: diverged");
    return rate;
  }

 private:
  void make_rows(const std::string& storage, int rows, int cols) {
    const std::size_t size = static_cast<std::size_t>(rows) * cols;
    rows_.count = rows;
    rows_.cols = cols;
    floats_ = uniform_buffer(size, 0, 1, 2);
    rows_.data = floats_.data();
    if (storage == "float32") return;
    if (storage != "uint8") throw std::invalid_argument("open: unknown storage " + storage);
    bytes_ = Buffer<std::uint8_t>(size);
    for (std::size_t i = 0; i < size; i++) bytes_[i] = static_cast<std::uint8_t>(floats_[i] * 255);
    floats_ = {};
    rows_.data = bytes_.data();
    rows_.storage = Storage::u8;
    rows_.scale = 1.0 / 255;
  }

  void make_parameters(double bound) {
    theta_ = Buffer<float>(network_.parameters);
    for (int l = 0; l < network_.depth(); l++) {
      const DenseLayer& layer = network_.layers[l];
      uniform(theta_.data() + layer.weights_at, layer.weight_count(), -bound, bound, 0,
              static_cast<std::uint32_t>(Stream::weights), static_cast<std::uint64_t>(l));
    }
  }

  Network network_;
  Objective objective_;
  TrainingOptions options_;
  double rate_ = 0;
  std::unique_ptr<StepProducts> products_;
  Buffer<float> floats_, theta_;
  Buffer<std::uint8_t> bytes_;
  Rows rows_;
};

class Answers {
 public:
  std::string answer(const std::string& line) {
    std::istringstream in(line);
    std::ostringstream out;
    out.precision(17);
    std::string command;
    in >> command;
    if (command == "describe") {
      out << blas_version() << ' ' << blas_kernel() << ' ' << vector_level_name(vector_level());
    } else if (command == "open") {
      training_.reset();
      training_ = std::make_unique<Training>(in);
      out << training_->flops();
    } else if (command == "threads") {
      int threads = 0;
      if (!(in >> threads) || threads < 1) throw std::invalid_argument("threads: bad arguments");
      out << opened().threads(threads);
    } else {
      out << measure(command, in);
    }
    return out.str();
  }

 private:
  double measure(const std::string& command, std::istream& in) {
    int threads = 0;
    double seconds = 0;
    if (!(in >> threads >> seconds) || threads < 1 || !(seconds > 0)) throw std::invalid_argument(command + ": bad arguments");
    if (command == "limit") return square_.gflops(pool_, threads, seconds);
    if (command == "plan") return opened().plan_rate(pool_, threads, seconds);
    if (command == "train") return opened().train_rate(pool_, threads, seconds);
    throw std::invalid_argument("unknown command " + command);
  }

  const Training& opened() const {
    if (!training_) throw std::invalid_argument("nothing is open");
    return *training_;
  }

  ThreadPool pool_;
  SquareProduct square_;
  std::unique_ptr<Training> training_;
};

}  // namespace
}  // namespace layerwise

int main() {
  try {
    layerwise::blas_start();
  } catch (const std::exception& error) {
    std::cout << "error " << error.what() << std::endl;
    return 1;
  }
  layerwise::Answers answers;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::cout << answers.answer(line) << std::endl;
    } catch (const std::exception& error) {
      std::cout << "error " << error.what() << std::endl;
    }
  }
}

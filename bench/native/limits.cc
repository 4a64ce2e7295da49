// What the benchmarks compare training with, measured by a program without Node on the core's own thread pool. It lives through
// a benchmark and answers every line of standard input with one line:
//
//   describe                            OpenBLAS version, its kernel, vector level
//   rows COUNT float32|uint8 FILE       the rows that trainings opened from now on are on; nothing but they is in the file
//   open BATCH RATE squared|log_loss LAMBDA none INPUTS ACTIVATION WIDTH ACTIVATION WIDTH ...
//   open BATCH RATE squared|log_loss LAMBDA batch|moving|exact RHO BETA INPUTS ACTIVATION WIDTH ...
//                                       flops of the products of one step; the commands below are about the training of these
//                                       dense layers by Adam, with KL on the mean of the first where RHO and BETA are given
//   threads N                           the threads that training uses when it is offered N
//   limit N SECONDS                     GFLOP/s of sgemm on 2048 x 2048 x 2048, one call a thread on rows of its own
//   plan N SECONDS                      GFLOP/s of the products of training steps alone
//   cut N SECONDS BLOCKS TILES          the same in a cut made for N threads: so many row blocks, and tiles of a layer, for each
//   read BYTES SECONDS                  GB/s at which one thread reads so much memory over and over
//   stream N                            trains until it is killed; ten times a second a line with the rows seen so far
//   phases N SECONDS                    microseconds of a step, then those of each phase on all threads together, in the order of
//                                       Phase; built with LAYERWISE_PHASES only
//
// What it cannot do it answers with "error REASON".
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/lanes.h"
#include "base/phase_clock.h"
#include "rows/memory_rows.h"
#include "step_products.h"
#include "training/job/job.h"

namespace layerwise {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

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

// A word as the command spells it.
template <typename Value>
Value value_of(const std::string& word, const std::map<std::string, Value>& values) {
  const auto found = values.find(word);
  if (found == values.end()) throw std::invalid_argument("open: unknown word " + word);
  return found->second;
}

// Rows as stored in a file.
class FileRows {
 public:
  FileRows() = default;
  explicit FileRows(std::istream& in) {
    std::string storage, path;
    if (!(in >> rows_.count >> storage) || !std::getline(in >> std::ws, path) || rows_.count < 1)
      throw std::invalid_argument("rows: bad arguments");
    rows_.storage = value_of<Storage>(storage, {{"float32", Storage::f32}, {"uint8", Storage::u8}});
    rows_.scale = rows_.storage == Storage::u8 ? 1.0 / 255 : 1;
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    const auto size = static_cast<std::streamsize>(file.tellg());
    const std::streamsize row = size / rows_.count, element = rows_.storage == Storage::u8 ? 1 : 4;
    if (size <= 0 || row * rows_.count != size || row % element != 0) throw std::runtime_error("rows: " + path);
    rows_.cols = static_cast<int>(row / element);
    bytes_ = Buffer<char>(static_cast<std::size_t>(size));
    file.seekg(0);
    if (!file.read(bytes_.data(), size)) throw std::runtime_error("rows: " + path);
    rows_.data = bytes_.data();
  }

  const Rows& rows() const { return rows_; }

 private:
  Buffer<char> bytes_;
  Rows rows_;
};

// One network and the rows to train it on.
class Training {
 public:
  Training(const Rows& rows, std::istream& in) : rows_(rows) {
    int inputs = 0;
    std::string loss, penalty, activation;
    double lambda = 0, rho = 0, beta = 0;
    in >> options_.batch_size >> rate_ >> loss >> lambda >> penalty;
    if (penalty != "none") in >> rho >> beta;
    in >> inputs;
    for (int below = inputs, width = 0; in >> activation; below = width) {
      if (!(in >> width) || width < 1) throw std::invalid_argument("open: a layer without a width");
      network_.add(below, width, value_of<Activation>(activation, kActivations));
    }
    if (inputs != rows_.cols || network_.depth() == 0 || options_.batch_size < 1 || options_.batch_size > rows_.count) {
      throw std::invalid_argument("open: bad arguments");
    }
    objective_.loss = value_of<Loss>(loss, {{"squared", Loss::squared}, {"log_loss", Loss::log_loss}});
    objective_.weight_decay.assign(network_.depth(), lambda);
    if (penalty != "none") {
      const Average average =
          value_of<Average>(penalty, {{"batch", Average::batch}, {"moving", Average::moving}, {"exact", Average::exact}});
      objective_.penalties = {{0, PenaltyKind::kl, rho, beta, average}};
    }
    products_ = std::make_unique<StepProducts>(network_, objective_, options_.batch_size);
    if (objective_.loss == Loss::log_loss) {
      for (int i = 0; i < rows_.count; i++) labels_.push_back(static_cast<std::uint32_t>(i % network_.outputs()));
      rows_.labels = labels_.data();
    }
    make_parameters();
  }

  double flops() const { return products_->flops(); }
  int batch_size() const { return options_.batch_size; }

  int threads(int offered) const { return useful_threads(step_flops(network_, options_.batch_size), offered); }

  double plan_rate(ThreadPool& pool, int offered, double seconds) const {
    return products_rate(*products_, pool, threads(offered), seconds);
  }

  double cut_rate(ThreadPool& pool, int offered, double seconds, int blocks, int tiles) const {
    const int used = threads(offered);
    const Plan plan = cut_for_threads(network_, options_.batch_size, used, blocks, tiles);
    return products_rate({network_, objective_, options_.batch_size, plan}, pool, used, seconds);
  }

  // Spans as the addon runs them. report(processed rows) is called after each; training continues while it returns true.
  template <typename Report>
  void train(ThreadPool& pool, int offered, const Report& report) const {
    bool diverged = false;
    pool.run(threads(offered), [&](Team& team) {
      MemoryRows<float> source(rows_);
      TrainingJob<float> job(network_, objective_, options_, theta_.data(), rows_.count);
      const StopFlag stop;
      Span span;
      span.learning_rate = rate_;
      for (;;) {
        const SpanResult result = job.run(team, source, span, stop);
        diverged = result.diverged;
        if (diverged) return;
        const double seen = static_cast<double>(span.epoch) * rows_.count +
                            std::min<double>(rows_.count, static_cast<double>(result.steps) * options_.batch_size);
        if (result.epoch_done) span.epoch++;
        if (!report(seen)) return;
      }
    });
    if (diverged) throw std::runtime_error("training diverged");
  }

 private:
  static double products_rate(const StepProducts& products, ThreadPool& pool, int threads, double seconds) {
    double rate = 0;
    pool.run(threads, [&](Team& team) { rate = rate_of(seconds, [&] { products.run(team); }); });
    return rate * products.flops() / 1e9;
  }

  void make_parameters() {
    theta_ = Buffer<float>(network_.parameters);
    for (int l = 0; l < network_.depth(); l++) {
      const DenseLayer& layer = network_.layers[l];
      const double bound = std::sqrt(6.0 / (layer.inputs + layer.outputs + 1));
      uniform(theta_.data() + layer.weights_at, layer.weight_count(), -bound, bound, 0,
              static_cast<std::uint32_t>(Stream::weights), static_cast<std::uint64_t>(l));
    }
  }

  inline static const std::map<std::string, Activation> kActivations = {
      {"sigmoid", Activation::sigmoid}, {"tanh", Activation::tanh},         {"relu", Activation::relu},
      {"satlin", Activation::satlin},   {"identity", Activation::identity}, {"softmax", Activation::softmax}};

  Network network_;
  Objective objective_;
  TrainingOptions options_;
  double rate_ = 0;
  std::unique_ptr<StepProducts> products_;
  Buffer<float> theta_;
  std::vector<std::uint32_t> labels_;
  Rows rows_;
};

// How fast one thread reads memory that it has just read before. In four places at once, since one stream gets less from the
// third cache.
double read_rate(std::size_t bytes, double seconds) {
  typedef std::uint64_t Words __attribute__((vector_size(16)));
  const std::size_t quarter = bytes / 4 / sizeof(Words);
  const Buffer<Words> memory(4 * quarter);
  std::fill_n(memory.data(), 4 * quarter, Words{1, 1});
  Words seen{};
  const double rate = rate_of(seconds, [&] {
    const Words* at = memory.data();
    Words a{}, b{}, c{}, d{};
    for (const Words* const end = at + quarter; at < end; at++) {
      a |= at[0];
      b |= at[quarter];
      c |= at[2 * quarter];
      d |= at[3 * quarter];
    }
    seen |= a & b & c & d;
  });
  if (seen[0] != 1) throw std::runtime_error("read: found what is not there");
  return rate * static_cast<double>(4 * quarter * sizeof(Words)) / 1e9;
}

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
    } else if (command == "rows") {
      training_.reset();
      rows_ = FileRows(in);
      out << rows_.rows().cols;
    } else if (command == "open") {
      training_.reset();
      training_ = std::make_unique<Training>(rows_.rows(), in);
      out << training_->flops();
    } else if (command == "threads") {
      int threads = 0;
      if (!(in >> threads) || threads < 1) throw std::invalid_argument("threads: bad arguments");
      out << opened().threads(threads);
    } else if (command == "stream") {
      stream(in);
    } else if (command == "read") {
      double bytes = 0, seconds = 0;
      if (!(in >> bytes >> seconds) || bytes < 1 || !(seconds > 0)) throw std::invalid_argument("read: bad arguments");
      out << read_rate(static_cast<std::size_t>(bytes), seconds);
#ifdef LAYERWISE_PHASES
    } else if (command == "phases") {
      phases(in, out);
#endif
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
    if (command == "cut") {
      int blocks = 0, tiles = 0;
      if (!(in >> blocks >> tiles) || blocks < 1 || tiles < 1) throw std::invalid_argument("cut: bad arguments");
      return opened().cut_rate(pool_, threads, seconds, blocks, tiles);
    }
    throw std::invalid_argument("unknown command " + command);
  }

  // As often as fit reports its progress: the reader takes processor time from the training.
  static constexpr double kStreamSeconds = 0.1;

  // Until it is killed.
  void stream(std::istream& in) {
    int threads = 0;
    if (!(in >> threads) || threads < 1) throw std::invalid_argument("stream: bad arguments");
    Clock::time_point last;
    opened().train(pool_, threads, [&](double rows) {
      if (seconds_since(last) < kStreamSeconds) return true;
      std::cout << static_cast<std::int64_t>(rows) << std::endl;
      last = Clock::now();
      return true;
    });
  }

#ifdef LAYERWISE_PHASES
  // The clock starts after the first span.
  void phases(std::istream& in, std::ostream& out) {
    int threads = 0;
    double seconds = 0;
    if (!(in >> threads >> seconds) || threads < 1 || !(seconds > 0)) throw std::invalid_argument("phases: bad arguments");
    double before = -1, after = 0, elapsed = 0;
    Clock::time_point start;
    opened().train(pool_, threads, [&](double rows) {
      if (before < 0) {
        before = rows;
        for (auto& time : phase_times) time = 0;
        start = Clock::now();
        return true;
      }
      after = rows;
      elapsed = seconds_since(start);
      return elapsed < seconds;
    });
    const double steps = (after - before) / opened().batch_size();
    out << 1e6 * elapsed / steps;
    for (const auto& time : phase_times) out << ' ' << time / 1e3 / steps;
  }
#endif

  const Training& opened() const {
    if (!training_) throw std::invalid_argument("nothing is open");
    return *training_;
  }

  ThreadPool pool_{Lanes::kNicer};  // as trainings have it in a package
  SquareProduct square_;
  FileRows rows_;
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

// Times every way in which a layer's products can be made, on one thread without Node, and says which the table of thresholds
// chooses (native/core/products/thresholds.h). `npm run bench -- products` runs it once at each vector level. It answers every
// line of standard input with one line:
//
//   describe                                      OpenBLAS version, its kernel, vector level
//   layer float32|float64 ROWS INPUTS OUTPUTS SHARE SECONDS
//                                                 the products of one layer over so many rows in about so much time; where that
//                                                 share of their elements that is not zero is below 1, the rows dense or in
//                                                 groups
//   row float32|float64 INPUTS OUTPUTS SHARE SECONDS
//                                                 a single row
//
// An answer is a list of what was timed, each "PRODUCT WAY=MICROSECONDS WAY=MICROSECONDS ... chosen=WAY", separated by "; ". The
// ways take turns, and the best turn of each counts. Their results are compared before: what differs by more than rounding is
// answered with "error REASON".
#include <algorithm>
#include <chrono>
#include <functional>
#include <iostream>
#include <limits>
#include <map>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "base/buffer.h"
#include "base/denormals.h"
#include "base/random.h"
#include "products/blas.h"
#include "products/choose.h"
#include "products/dense_products.h"
#include "products/grouped_chunk.h"
#include "products/grouped_products.h"
#include "products/single_row.h"
#include "random_matrix.h"

namespace layerwise {
namespace {

using Clock = std::chrono::steady_clock;

double seconds_since(Clock::time_point start) { return std::chrono::duration<double>(Clock::now() - start).count(); }

// One way of making a product.
struct Way {
  std::string name;
  std::function<void()> make;
};

// Microseconds of each, the best of turns that take `seconds` together.
std::vector<double> times_of(const std::vector<Way>& ways, double seconds) {
  constexpr int kTurns = 20;
  const double turn = seconds / (kTurns * static_cast<double>(ways.size()));
  std::vector<double> best(ways.size(), std::numeric_limits<double>::infinity());
  for (int t = 0; t < kTurns; t++) {
    for (std::size_t w = 0; w < ways.size(); w++) {
      int count = 0;
      const auto start = Clock::now();
      do {
        ways[w].make();
        count++;
      } while (seconds_since(start) < turn);
      best[w] = std::min(best[w], 1e6 * seconds_since(start) / count);
    }
  }
  return best;
}

std::string timed(const std::string& product, const std::vector<Way>& ways, const std::string& chosen, double seconds) {
  const std::vector<double> times = times_of(ways, seconds);
  std::ostringstream out;
  out.precision(6);
  out << product;
  for (std::size_t w = 0; w < ways.size(); w++) out << ' ' << ways[w].name << '=' << times[w];
  out << " chosen=" << chosen;
  return out.str();
}

const char* name_of(RowsWay way) { return way == RowsWay::panels ? "panels" : "blas"; }
const char* name_of(GradientWay way) {
  return way == GradientWay::registers ? "registers" : way == GradientWay::strips ? "strips" : "blas";
}

// The products of one layer by every way.
template <typename T>
class Layer {
 public:
  Layer(int rows, int inputs, int outputs, double share)
      : layer_{inputs, outputs, Activation::identity, 0, 0, false},
        x_(rows, inputs, share, 1),
        d_(rows, outputs, 1, 2),
        out_(rows, outputs),
        before_(rows, inputs),
        theta_(layer_.weight_count()),
        gradient_(layer_.weight_count()),
        chunk_(rows, 1, inputs),
        grouped_(layer_, {RowsWay::blas, RowsWay::blas, GradientWay::blas}) {
    uniform(theta_.data(), theta_.size(), -1, 1, 0, static_cast<std::uint32_t>(Stream::weights), 3);
    for (RowsWay way : {RowsWay::blas, RowsWay::panels}) {
      of_rows_.emplace(name_of(way), DenseProducts<T>(layer_, {way, way, GradientWay::blas}));
    }
    for (GradientWay way : {GradientWay::blas, GradientWay::registers, GradientWay::strips}) {
      of_gradients_.emplace(name_of(way), DenseProducts<T>(layer_, {RowsWay::blas, RowsWay::blas, way}));
    }
    for (auto* products : {&of_rows_, &of_gradients_}) {
      for (auto& [name, one] : *products) one.prepare(theta_.data());
    }
    scratch_ = Buffer<T>(gradient_scratch<T>(GradientWay::strips));
  }

  std::string measure(double seconds) {
    std::vector<Way> forward, backward, gradient;
    for (auto& [name, one] : of_rows_) {
      forward.push_back({name, [&, products = &one] { products->forward(x_.in(), out_.view()); }});
      backward.push_back({name, [&, products = &one] { products->backward(d_.in(), before_.view()); }});
    }
    for (auto& [name, one] : of_gradients_)
      gradient.push_back({name, [&, products = &one] { make_gradient(*products, x_.in()); }});
    const Ways chosen = choose_ways(layer_, sizeof(T));

    // As an evaluation does with rows that it sees once: groups are made, and so is W^T.
    const std::vector<Way> rows = {{"dense",
                                    [&] {
                                      of_rows_.at(name_of(chosen.forward)).forward(x_.in(), out_.view());
                                      make_gradient(of_gradients_.at(name_of(chosen.gradient)), x_.in());
                                    }},
                                   {"grouped", [&] {
                                      chunk_.open({x_.rows, 1});
                                      chunk_.put(0, x_.in());
                                      const GroupedRows<T> groups{chunk_.blocks(), 1};
                                      grouped_.prepare(theta_.data());
                                      grouped_.forward(groups, out_.view());
                                      make_gradient(grouped_, groups);
                                    }}};
    const double kept = GroupedChunk<T>::kept_share(x_.in(), RowGroups<T>::kRows);
    const bool groups = may_be_grouped(layer_, x_.rows, sizeof(T)) && groups_are_faster(kept, sizeof(T));

    if (kept < 1) {
      verify("forward of rows", rows, out_.view(), layer_.inputs);
      verify("gradient of rows", rows, gradient_matrix(), x_.rows);
      return timed("rows", rows, groups ? "grouped" : "dense", seconds);
    }
    verify("forward", forward, out_.view(), layer_.inputs);
    verify("backward", backward, before_.view(), layer_.outputs);
    verify("gradient", gradient, gradient_matrix(), x_.rows);
    const double part = seconds / 7;  // of one way
    std::ostringstream out;
    out << timed("forward", forward, name_of(chosen.forward), 2 * part) << "; "
        << timed("backward", backward, name_of(chosen.backward), 2 * part) << "; "
        << timed("gradient", gradient, name_of(chosen.gradient), 3 * part);
    return out.str();
  }

 private:
  // In tiles of at most 2^18 weights, as a training's plan cuts it.
  void make_gradient(const Products<T>& products, const LayerInput<T>& input) {
    const Cut tiles = Cut::at_most(layer_.outputs, std::max(128, (1 << 18) / layer_.inputs));
    for (int t = 0; t < tiles.count; t++) {
      products.gradient(d_.in(), input, tiles.begin(t), false, gradient_matrix().rows_from(tiles.begin(t), tiles.length(t)),
                        scratch_.data());
    }
  }

  MatrixView<T> gradient_matrix() const { return {gradient_.data(), layer_.outputs, layer_.inputs}; }

  void verify(const std::string& what, const std::vector<Way>& ways, MatrixView<T> result, int terms) const {
    Matrix<T> first(result.rows, result.cols);
    for (const Way& way : ways) {
      for (int i = 0; i < result.rows; i++) std::fill_n(result.row(i), result.cols, std::numeric_limits<T>::quiet_NaN());
      way.make();
      if (&way != &ways.front()) {
        expect_equal<T>(what, first.in(), result, terms);
        continue;
      }
      for (int i = 0; i < result.rows; i++) std::copy_n(result.row(i), result.cols, first.view().row(i));
    }
  }

  DenseLayer layer_;
  Matrix<T> x_, d_, out_, before_;
  Buffer<T> theta_, gradient_, scratch_;
  GroupedChunk<T> chunk_;
  std::map<std::string, DenseProducts<T>> of_rows_, of_gradients_;
  GroupedProducts<T> grouped_;
};

template <typename T>
std::string measure_row(int inputs, int outputs, double share, double seconds) {
  const Matrix<T> x(1, inputs, share, 1), z(1, outputs), again(1, outputs);
  const DenseLayer layer{inputs, outputs, Activation::identity, 0, 0, false};
  const DenseLayer stored_transposed{inputs, outputs, Activation::identity, 0, 0, false, true};
  Buffer<T> theta(layer.weight_count()), transposed(layer.weight_count());
  uniform(theta.data(), theta.size(), -1, 1, 0, static_cast<std::uint32_t>(Stream::weights), 3);
  vector_kernels<T>().transpose(layer.weights(theta.data()), {transposed.data(), inputs, outputs});
  const T* row = x.view().data;
  const std::vector<Way> ways = {
      {"all", [&] { multiply_row<T>(layer, theta.data(), nullptr, row, z.view().data); }},
      {"nonzero", [&] { multiply_row<T>(stored_transposed, transposed.data(), nullptr, row, again.view().data); }}};
  for (const Way& way : ways) way.make();
  expect_equal<T>("a row's product", z.in(), again.in(), inputs);
  const auto zeros = static_cast<int>(std::count(row, row + inputs, T(0)));
  return timed("row", ways, zeros_are_skipped(zeros, inputs, sizeof(T)) ? "nonzero" : "all", seconds);
}

template <typename T>
std::string measure(const std::string& command, std::istream& in) {
  int rows = 1, inputs = 0, outputs = 0;
  double share = 0, seconds = 0;
  if (command == "layer") in >> rows;
  if (!(in >> inputs >> outputs >> share >> seconds) || rows < 1 || inputs < 1 || outputs < 1 || !(seconds > 0))
    throw std::invalid_argument(command + ": bad arguments");
  if (command == "row") return measure_row<T>(inputs, outputs, share, seconds);
  return Layer<T>(rows, inputs, outputs, share).measure(seconds);
}

std::string answer(const std::string& line) {
  std::istringstream in(line);
  std::string command, precision;
  in >> command;
  if (command == "describe") return blas_version() + ' ' + blas_kernel() + ' ' + vector_level_name(vector_level());
  if (command != "layer" && command != "row") throw std::invalid_argument("unknown command " + command);
  in >> precision;
  if (precision == "float32") return measure<float>(command, in);
  if (precision == "float64") return measure<double>(command, in);
  throw std::invalid_argument("unknown precision " + precision);
}

}  // namespace
}  // namespace layerwise

int main() {
  try {
    layerwise::blas_start();
  } catch (const std::exception& error) {
    std::cout << "error " << error.what() << std::endl;
    return 1;
  }
  const layerwise::DenormalsOff denormals_off;
  for (std::string line; std::getline(std::cin, line);) {
    try {
      std::cout << layerwise::answer(line) << std::endl;
    } catch (const std::exception& error) {
      std::cout << "error " << error.what() << std::endl;
    }
  }
}

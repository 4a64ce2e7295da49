#pragma once
#include <functional>
#include <vector>

#include "base/buffer.h"
#include "network/layer_values.h"
#include "network/network.h"
#include "network/objective.h"

namespace layerwise {

// The mean outputs of layers over the rows of a run, and what penalties on them ask of each row's delta. Used serially, but for
// pull() and l1(), which any thread reads.
template <typename T>
class MeanActivation {
 public:
  // Turns a layer's raw means [units] into those the penalty sees (moving average), in place, on the coordinator.
  using Filter = std::function<void(std::size_t penalty, std::vector<double>& mean)>;

  MeanActivation(const Network& network, const Objective& objective);

  // The deepest layer whose mean is penalised; -1: none is.
  int deepest() const { return deepest_; }
  // The first layer whose mean is penalised, else the first penalised, else the first hidden one; -1: there is no hidden layer.
  int monitored() const { return monitored_; }
  // Whether a layer's outputs are summed: its mean is penalised or it is the monitored layer.
  bool is_summed(int layer) const { return layer == monitored_ || pulls_[layer].size() > 0; }

  // Begins a run: the sums are zero.
  void clear();
  // Adds the block sums of a chunk, of layers from … to (both included), in block order.
  void add(const LayerValues<T>& values, int from, int to);
  // The sums over rows of this total weight, their number where each counts 1, become means, and the means a pull on every
  // penalised layer. filter may be null. Returns the value of the penalties on means, or 0 where that is not asked for. Rows of
  // total weight 0 have no mean: there is no pull then and no value, and filter is not called.
  double finish(double weight, const Filter* filter, bool with_value);

  // [outputs] raw means of a layer that is summed, else empty.
  const std::vector<double>& of(int layer) const { return means_[layer]; }
  // [outputs] what every row's delta receives before f', times the row's weight, of a layer whose mean is penalised; else null.
  const T* pull(int layer) const { return pulls_[layer].size() > 0 ? pulls_[layer].data() : nullptr; }
  // What |output| weighs in the cost of one of so many rows, where an l1 penalty is on the layer; else 0.
  T l1(int layer, int rows) const;

 private:
  const Network& network_;
  const Objective& objective_;
  int monitored_ = -1, deepest_ = -1;
  std::vector<const Penalty*> penalty_of_;  // [layers]
  std::vector<Buffer<T>> pulls_;            // [layers][outputs]
  std::vector<std::vector<double>> means_;  // [layers][outputs] sums over rows until finish()
};

}  // namespace layerwise

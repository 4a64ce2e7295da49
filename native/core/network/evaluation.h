#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "base/memory_budget.h"
#include "base/stop_flag.h"
#include "base/thread_pool.h"
#include "network/layer_values.h"
#include "network/mean_activation.h"
#include "network/network.h"
#include "network/objective.h"
#include "network/pass.h"
#include "network/plan.h"
#include "network/tiles.h"
#include "products/products.h"
#include "rows/row_chunk.h"

namespace layerwise {

// What an evaluation may occupy, in bytes.
struct EvaluationMemory {
  std::size_t chunk = MemoryBudget::kChunk;
  // Activations that the first of two passes keeps, and the groups of rows that are read more than once.
  std::size_t kept = MemoryBudget::kKept;
  // Elements that a row of the source occupies on its way to the network (RowSource::scratch_elements), counted into the chunk.
  std::size_t row_scratch = 0;

  // For rows of this source.
  template <typename T>
  static EvaluationMemory beside(const RowSource<T>& rows) {
    return {MemoryBudget::kChunk, MemoryBudget::kept_beside(rows.window_bytes()), rows.scratch_elements()};
  }
};

// Cost and gradient of one network and objective over rows, in phases:
//   1  by row blocks: gather, forward, loss, output delta, and back to the deepest layer whose mean is penalised; of small layers
//      the gradient too, as soon as a block's deltas are there
//   2  serially: the means and their pull; then by row blocks the remaining deltas
//   3  by tiles of the parameters: the gradient over all rows of the chunk, and whatever the caller's sink does with it while it
//   is hot
// More rows than fit a chunk are processed chunk by chunk, in bounded memory; a penalised mean then takes a forward pass of its
// own before, whose activations are kept where memory allows it and computed again where not. Where the rows of its first run
// are mostly zeros, products with them leave those out in every run. Owns its buffers; used by one task at a time.
//
// This class is the order of the phases. RowChunk reads the rows, Pass works on row blocks, MeanActivation on the means between,
// Tiles on the parameters; LayerValues is what they share.
template <typename T>
class Evaluator {
 public:
  // Called for every finished tile, on the thread that made it: gradient [n] belongs to parameters offset … offset+n-1, decay not
  // yet added, and may be changed.
  using Sink = std::function<void(int tile, const Plan::Tile&, T* gradient, std::size_t offset, std::size_t n)>;
  using MeanFilter = typename MeanActivation<T>::Filter;

  struct Request : RowSelection<T> {
    const T* theta = nullptr;
    // [parameters]. Null with a sink: the gradient is made where a thread made its last tile and passes through its cache only.
    // Null without: cost alone.
    T* gradient = nullptr;
    const Sink* sink = nullptr;
    bool wants_gradient() const { return gradient != nullptr || sink != nullptr; }
    const MeanFilter* filter = nullptr;
    const std::function<void()>* meanwhile = nullptr;  // done once beside the rows, by any thread; not after stop is raised
    bool whole_cost = true;                            // false: loss and l1 alone, which come with the pass
    std::uint32_t* predicted = nullptr;                // log_loss: receives the most probable class of each row, [count]
  };

  // For runs of at most so many rows. noisy: whether they may ask for noise. indexed: whether their source gives index lists.
  Evaluator(const Network& network, const Objective& objective, int most_rows, EvaluationMemory memory = {}, bool noisy = false,
            bool indexed = false);

  // Another weight and other multipliers of the penalty of kind constraint.
  void set_constraint(double weight, const std::vector<double>& multipliers);

  // Decides how the products with the rows are made, once: by a look at rows spread over all there are, under this noise or none.
  // run() does it, unless it was done. Returns false if stop was raised: nothing is decided then.
  bool choose_products(const RowSelection<T>& selection, const StopFlag& stop);

  // Returns false if stop was raised: the results are then worthless.
  bool run(Team& team, const Request& request, const StopFlag& stop, CostParts& parts);

  // lambda/2 |W|^2 over all layers.
  double weight_decay_cost(Team& team, const T* theta);

  // Raw mean outputs over the rows of the last run: of a layer whose mean is penalised or monitored, else empty.
  const std::vector<double>& means(int layer) const { return means_.of(layer); }
  // Those of the monitored layer: the first whose mean is penalised, else the first penalised, else the first hidden one.
  const std::vector<double>& mean_activation() const { return monitored_layer() >= 0 ? means(monitored_layer()) : no_means_; }
  int monitored_layer() const { return means_.monitored(); }
  // The sum of the weights of the last run's rows, whose mean over their source is 1; the number of rows where they have none.
  double weight() const { return weight_; }
  // Known once the products are chosen.
  bool leaves_zeros_out() const { return input_ != InputKind::dense; }

  const Plan& plan(int rows);

 private:
  using Size = typename LayerValues<T>::Size;

  // One run: its cut, and which of its phases are needed.
  struct Run {
    const Request& request;
    const Plan& plan;
    const StopFlag& stop;
    bool gradient;    // is wanted
    bool two_passes;  // the means are taken in a pass of their own, since a chunk's deltas need those of all rows
    bool pull_known;  // when a chunk's rows come back from the output layer: no mean is penalised, or the first pass has it
  };

  Size size_for(const EvaluationMemory& memory);
  void open_chunk(const Run& run, int chunk, bool again);
  bool first_pass(Team& team, const Run& run, CostParts& parts);
  void rows_phase(Team& team, const Run& run, int chunk);
  void late_deltas_phase(Team& team);
  void tiles_phase(Team& team, const Run& run, int chunk);

  Network network_;
  Objective objective_;
  int most_rows_;
  std::size_t chunk_bytes_;
  std::size_t kept_bytes_;  // left for groups of rows
  bool products_chosen_;
  InputKind input_;                                     // how rows come
  std::vector<Plan> plans_;                             // the first is that of most_rows_
  std::vector<std::unique_ptr<Products<T>>> products_;  // [layers]
  MeanActivation<T> means_;
  Size size_;
  RowChunk<T> rows_;
  LayerValues<T> values_;
  Pass<T> pass_;
  Tiles<T> tiles_;
  double weight_ = 0;
  std::vector<double> no_means_;
};

}  // namespace layerwise

#pragma once
#include <functional>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/stop_flag.h"
#include "base/thread_pool.h"
#include "kernels/vector_kernels.h"
#include "network/network.h"
#include "network/objective.h"
#include "network/plan.h"
#include "products/choose.h"
#include "products/grouped_chunk.h"
#include "rows/corruption.h"
#include "rows/gather.h"

namespace layerwise {

// What an evaluation may occupy, in bytes.
struct EvaluationMemory {
  std::size_t chunk = Plan::kChunkBytes;
  // Activations that the first of two passes keeps, and the groups of rows that are read more than once.
  std::size_t kept = std::size_t{512} << 20;
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
template <typename T>
class Evaluator {
 public:
  // Called for every finished tile, on the thread that made it: gradient [n] belongs to parameters offset … offset+n-1, decay not
  // yet added, and may be changed.
  using Sink = std::function<void(int tile, const Plan::Tile&, T* gradient, std::size_t offset, std::size_t n)>;
  // Turns a layer's raw means [units] into those the penalty sees (moving average), in place, on the coordinator.
  using MeanFilter = std::function<void(std::size_t penalty, std::vector<double>& mean)>;

  struct Request {
    const T* theta = nullptr;
    const Gather<T>* rows = nullptr;
    const std::uint32_t* order = nullptr;  // which rows; null: the source's own order
    int first = 0;
    int count = 0;
    // [parameters]. Null with a sink: the gradient is made where a thread made its last tile and passes through its cache only.
    // Null without: cost alone.
    T* gradient = nullptr;
    const Sink* sink = nullptr;
    bool wants_gradient() const { return gradient != nullptr || sink != nullptr; }
    const MeanFilter* filter = nullptr;
    const std::function<void()>* meanwhile = nullptr;  // done once beside the rows, by any thread; not after stop is raised
    const Noise* noise = nullptr;                      // on the inputs; the loss stays against the clean rows
    bool whole_cost = true;                            // false: loss and l1 alone, which come with the pass
    std::uint32_t* predicted = nullptr;                // log_loss: receives the most probable class of each row, [count]
    bool repeated = false;  // every run of the evaluator sees these rows, as many, in this order, under this noise
  };

  // `through`: the layers that the rows of every run go through first, if any; only their shapes are looked at here. `noisy`:
  // whether runs may ask for noise.
  Evaluator(const Network& network, const Objective& objective, int most_rows, EvaluationMemory memory = {},
            const Network* through = nullptr, bool noisy = false);

  // Another weight and other multipliers of the penalty of kind constraint.
  void set_constraint(double weight, const std::vector<double>& multipliers);

  // Decides how the products with the rows are made, once: by a look at rows spread over all there are, under this noise or none.
  // run() does it, unless it was done.
  void choose_products(const Gather<T>& rows, const Noise* noise);

  // Returns false if stop was raised: the results are then worthless.
  bool run(Team& team, const Request& request, const StopFlag& stop, CostParts& parts);

  // lambda/2 |W|^2 over all layers.
  double weight_decay_cost(Team& team, const T* theta);

  // Raw mean outputs over the rows of the last run: of a layer whose mean is penalised or monitored, else empty.
  const std::vector<double>& means(int layer) const { return means_[layer]; }
  // Those of the monitored layer: the first whose mean is penalised, else the first penalised, else the first hidden one.
  const std::vector<double>& mean_activation() const { return monitored_ >= 0 ? means_[monitored_] : no_means_; }
  int monitored_layer() const { return monitored_; }
  // Known once the products are chosen.
  bool leaves_zeros_out() const { return grouped_; }

  const Plan& plan(int rows);
  static std::size_t tile_offset(const Network& network, const Plan::Tile& tile, std::size_t* n);

 private:
  struct Chunk {
    int first;  // within the request's rows
    int rows;
    MatrixView<const T> x;       // [rows, inputs]
    MatrixView<const T> target;  // [rows, inputs]: x without noise
    bool in_place;               // target is the source itself
    Cut blocks;
    bool gathered;            // x and target hold their rows already
    bool grouped;             // and groups, if rows come in groups
    GroupedChunk<T>* groups;  // or null
  };

  void make_room_for_groups(const Plan& plan, bool met_again);
  bool zeros_prevail(const Gather<T>& source, const Noise* noise);
  int most_rows_in_chunk() const;
  Chunk open_chunk(const Request& request, const Plan& plan, int index, bool again);
  MatrixView<T> activations(int layer, const Chunk& chunk) const;
  MatrixView<T> deltas(int layer, const Chunk& chunk) const;
  MatrixView<T> slopes(int layer, const Chunk& chunk) const;
  void gather_block(const Request& request, const Chunk& chunk, int block);
  void through_block(const Request& request, const Chunk& chunk, int block, MatrixView<T> out);
  const T* biases(const DenseLayer& layer, const T* theta) const { return layer.biases(theta, zeros_.data()); }
  LayerInput<T> input(int layer, const Chunk& chunk) const;
  LayerInput<T> input(int layer, const Chunk& chunk, int block) const;
  void prepare_products(const Request& request);
  void forward_product(const Chunk& chunk, int block, int layer);
  void forward_block(const Request& request, const Chunk& chunk, int block, int from, int to, bool sums);
  void output_block(const Request& request, const Chunk& chunk, int block);
  void back_block(const Request& request, const Chunk& chunk, int block, int from, int to);
  void hidden_delta_block(const Request& request, const Chunk& chunk, int block, int layer);
  void gradient_block(const Chunk& chunk, int block, int layer);
  T* make_room(const Plan& plan, int threads);
  void make_scratch(int threads);
  void tile(const Chunk& chunk, const Plan& plan, int index, bool accumulate, T* gradient, T* scratch);
  void bias_tile(const Chunk& chunk, int layer, T* gradient, bool accumulate) const;
  void add_sums(const Chunk& chunk, int from, int to);
  void finish_means(const Request& request, CostParts& parts);

  Network network_;
  Objective objective_;
  const VectorKernels<T>& kernels_;
  int most_rows_;
  std::size_t chunk_bytes_;
  int monitored_ = -1;
  int deepest_ = -1;        // the deepest layer whose mean is penalised
  std::size_t kept_bytes_;  // of what is kept between passes and runs, at most
  bool kept_ = false;
  bool products_chosen_ = false;
  bool grouped_ = false;     // the rows come in groups
  bool rows_known_ = false;  // those of repeated runs: what there is of them is that of a run before
  std::vector<Plan> plans_;
  std::vector<const Penalty*> penalty_of_;  // [layers]

  Buffer<T> x_;                                                 // [rows of a chunk, inputs], scaled, noise included
  Buffer<T> clean_;                                             // the same without noise, where there is noise
  Buffer<T> zeros_;                                             // biases of layers that have none
  std::vector<std::uint32_t> labels_;                           // [rows of a chunk]
  std::vector<std::uint32_t> predicted_;                        // [rows of a chunk], the most probable class
  std::vector<Buffer<T>> through_;                              // activations of frozen layers, from which x_ is made
  std::vector<std::unique_ptr<Products<T>>> products_;          // [layers]
  std::vector<std::unique_ptr<Products<T>>> through_products_;  // [frozen layers]
  std::vector<GroupedChunk<T>> groups_;                         // of each chunk, or of one after the other
  std::vector<Buffer<T>> activations_, deltas_, activation_sums_, delta_sums_, pulls_;
  std::vector<Buffer<T>> slopes_;  // [layers] f' of hidden layers that store it, else empty; kept as long as the activations
  std::vector<std::vector<double>> means_;    // sums over rows until finish_means
  std::vector<Buffer<T>> partial_gradients_;  // [layers][blocks][weights] of those that the plan makes by blocks
  Buffer<T> gradient_;                        // of runs that have a sink alone and more than one chunk
  std::vector<Buffer<T>> tile_gradients_;     // [threads] of those that have one chunk
  std::vector<Buffer<T>> scratches_;          // [threads] of Products::gradient
  std::vector<double> no_means_, block_loss_, block_absolute_, block_correct_;
};

}  // namespace layerwise

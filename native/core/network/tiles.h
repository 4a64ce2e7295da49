#pragma once
#include <memory>
#include <vector>

#include "base/thread_pool.h"
#include "kernels/vector_kernels.h"
#include "network/layer_values.h"
#include "network/plan.h"
#include "products/products.h"
#include "rows/row_chunk.h"

namespace layerwise {

// The work of an evaluation on tiles of the parameters: the gradient of each over all rows of a chunk, so that nothing is left to
// be reduced, and the memory it is made in. begin() serially, gradient() by any thread, each tile by one.
template <typename T>
class Tiles {
 public:
  Tiles(const Network& network, const std::vector<std::unique_ptr<Products<T>>>& products, const RowChunk<T>& rows,
        const LayerValues<T>& values);

  // A run under this plan with so many threads, which stays the caller's. whole [parameters] receives the gradient; null: with
  // one chunk it is made where a thread made its last tile, and passes through its cache only.
  void begin(const Plan& plan, int threads, T* whole);

  // The gradient of tile `index` over the rows of the chunk, added to that of the chunks before where `add`; member: which of the
  // threads it is on. Returns where it lies: [Plan::range_of] numbers, weight decay not yet added.
  T* gradient(int index, int member, bool add);

 private:
  void bias_gradient(int layer, bool add, T* out) const;
  void sum_of_blocks(int layer, bool add, T* out) const;
  void weight_gradient(const Plan::Tile& tile, bool add, T* out, T* scratch) const;
  LayerInput<T> input(int layer) const;

  const Network& network_;
  const std::vector<std::unique_ptr<Products<T>>>& products_;  // [layers]
  const VectorKernels<T>& kernels_;
  const RowChunk<T>& rows_;
  const LayerValues<T>& values_;

  const Plan* plan_ = nullptr;        // of the run
  T* whole_ = nullptr;                // [parameters] of the run; null: each thread has its place
  Buffer<T> own_whole_;               // [parameters] of runs of several chunks whose caller gave no place
  std::vector<Buffer<T>> places_;     // [threads][the longest tile], which is as long in all of an evaluator's plans
  std::vector<Buffer<T>> scratches_;  // [threads] of Products::gradient
};

// lambda/2 |W|^2 over all layers, weight_decay [layers] the lambdas; summed in float64 in the order of the plan's tiles.
template <typename T>
double weight_decay_cost(Team& team, const Network& network, const Plan& plan, const std::vector<double>& weight_decay,
                         const T* theta);

}  // namespace layerwise

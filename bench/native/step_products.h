#pragma once
#include <memory>
#include <vector>

#include "base/random.h"
#include "network/evaluation.h"
#include "products/blas.h"
#include "products/choose.h"

namespace layerwise {

inline Buffer<float> uniform_buffer(std::size_t size, double low, double high, std::uint64_t index) {
  Buffer<float> buffer(size);
  uniform(buffer.data(), size, low, high, 0, static_cast<std::uint32_t>(Stream::weights), index);
  return buffer;
}

// The plan of an evaluation cut for a number of threads: this many row blocks, and tiles of each layer, for each thread. Its bits
// would depend on the number of threads.
inline Plan cut_for_threads(const Network& network, int rows, int threads, int blocks, int tiles) {
  Plan plan = Plan::evaluation(network, rows, sizeof(float));
  plan.block_rows = 1 + (plan.chunks.longest() - 1) / (threads * blocks);
  plan.tiles.clear();
  for (int l = 0; l < network.depth(); l++) {
    const DenseLayer& layer = network.layers[l];
    const Cut cut = Cut::at_most(layer.outputs, 1 + (layer.outputs - 1) / (threads * tiles));
    for (int i = 0; i < cut.count; i++) plan.tiles.push_back({l, cut.begin(i), cut.length(i)});
  }
  return plan;
}

// The products of one evaluation of cost and gradient, in the chunks, the cut and the order of Evaluator::run and between the
// same barriers, on memory of the same shapes; nothing else of it.
class StepProducts {
 public:
  StepProducts(const Network& network, const Objective& objective, int rows)
      : StepProducts(network, objective, rows, Plan::evaluation(network, rows, sizeof(float))) {}

  StepProducts(const Network& network, const Objective& objective, int rows, const Plan& plan)
      : network_(network), products_(choose_products<float>(network.layers)), plan_(plan) {
    for (const Penalty& penalty : objective.penalties) {
      if (penalty.on_mean()) deepest_ = std::max(deepest_, penalty.layer);
    }
    two_passes_ = deepest_ >= 0 && plan_.chunks.count > 1;
    std::size_t kept = 0;
    for (int l = 0; l <= deepest_; l++) kept += elements(rows, l) * sizeof(float);
    kept_ = two_passes_ && kept <= EvaluationMemory{}.kept;

    const int most = plan_.chunks.longest();
    theta_ = uniform_buffer(network.parameters, -0.1, 0.1, 0);
    gradient_ = Buffer<float>(network.parameters);
    for (const auto& products : products_) {
      products->prepare(theta_.data());
      scratch_elements_ = std::max(scratch_elements_, products->scratch_elements());
    }
    x_ = uniform_buffer(static_cast<std::size_t>(rows) * network.inputs(), 0, 1, 1);
    for (int l = 0; l < network.depth(); l++) {
      activations_.emplace_back(elements(kept_ && l <= deepest_ ? rows : most, l));
      deltas_.emplace_back(elements(most, l));
      partials_.emplace_back(plan_.by_blocks[l] ? plan_.blocks(most).count * network.layers[l].weight_count() : 0);
      flops_ += 2.0 * rows * static_cast<double>(network.layers[l].weight_count()) * (l == 0 ? 2 : 3);
    }
  }

  // Those that any evaluation needs. A second forward pass, where the first one's activations are not kept, is not counted.
  double flops() const { return flops_; }

  void run(Team& team) const {
    while (static_cast<int>(scratches_.size()) < team.threads()) scratches_.emplace_back(scratch_elements_);
    const int last = network_.depth() - 1;
    if (two_passes_) {
      for (int c = 0; c < plan_.chunks.count; c++) {
        each_block(team, c, [&](const Block& block) { forward(block, 0, deepest_); });
      }
    }
    const bool pull_known = deepest_ < 0 || two_passes_;
    const int known = kept_ ? deepest_ : -1;
    for (int c = 0; c < plan_.chunks.count; c++) {
      each_block(team, c, [&](const Block& block) {
        forward(block, known + 1, last);
        gradient(block, last);
        back(block, last, pull_known ? 0 : deepest_);
        if (pull_known && last > 0) gradient(block, 0);
      });
      if (!pull_known) {
        each_block(team, c, [&](const Block& block) {
          gradient(block, deepest_);
          back(block, deepest_, 0);
          if (deepest_ > 0) gradient(block, 0);
        });
      }
      team.each_dealt(static_cast<int>(plan_.tiles.size()),
                      [&](int i, int member) { tile(c, plan_.tiles[i], scratches_[member].data()); });
    }
  }

 private:
  // Rows begin … of a chunk.
  struct Block {
    int chunk;
    int index;  // within it
    int begin;
    int rows;
  };

  std::size_t elements(int rows, int layer) const { return static_cast<std::size_t>(rows) * network_.layers[layer].outputs; }

  template <typename Body>
  void each_block(Team& team, int chunk, const Body& body) const {
    const Cut blocks = plan_.blocks(plan_.chunks.length(chunk));
    team.each(blocks.count, [&](int i) { body(Block{chunk, i, blocks.begin(i), blocks.length(i)}); });
  }

  MatrixView<float> input(int layer, int chunk) const {
    if (layer > 0) return activations(layer - 1, chunk);
    const int rows = plan_.chunks.length(chunk), cols = network_.inputs();
    return {x_.data() + static_cast<std::size_t>(plan_.chunks.begin(chunk)) * cols, rows, cols};
  }
  MatrixView<float> activations(int layer, int chunk) const {
    const std::size_t from = kept_ && layer <= deepest_ ? elements(plan_.chunks.begin(chunk), layer) : 0;
    return {activations_[layer].data() + from, plan_.chunks.length(chunk), network_.layers[layer].outputs};
  }
  MatrixView<float> deltas(int layer, int chunk) const {
    if (layer + 1 == network_.depth()) return activations(layer, chunk);
    return {deltas_[layer].data(), plan_.chunks.length(chunk), network_.layers[layer].outputs};
  }

  static MatrixView<const float> rows_of(MatrixView<const float> all, const Block& block) {
    return all.rows_from(block.begin, block.rows);
  }

  // Layers from … to, both included.
  void forward(const Block& block, int from, int to) const {
    for (int l = from; l <= to; l++) {
      products_[l]->forward(rows_of(input(l, block.chunk), block),
                            activations(l, block.chunk).rows_from(block.begin, block.rows));
    }
  }

  // From the deltas of layer `from` to those of layer `to`, and the gradients of small layers between.
  void back(const Block& block, int from, int to) const {
    for (int l = from; l > to; l--) {
      if (l < from) gradient(block, l);
      products_[l]->backward(rows_of(deltas(l, block.chunk), block),
                             deltas(l - 1, block.chunk).rows_from(block.begin, block.rows));
    }
  }

  // Of a small layer, over one block.
  void gradient(const Block& block, int layer) const {
    const DenseLayer& shape = network_.layers[layer];
    if (!by_blocks(layer, block.chunk)) return;
    float* partial = partials_[layer].data() + block.index * shape.weight_count();
    products_[layer]->gradient(rows_of(deltas(layer, block.chunk), block), rows_of(input(layer, block.chunk), block), 0, false,
                               {partial, shape.outputs, shape.inputs}, nullptr);
  }

  bool by_blocks(int layer, int chunk) const {
    return plan_.by_blocks[layer] && plan_.blocks(plan_.chunks.length(chunk)).count > 1;
  }

  void tile(int chunk, const Plan::Tile& tile, float* scratch) const {
    if (tile.rows == 0 || by_blocks(tile.layer, chunk)) return;
    float* gradient = gradient_.data() + Plan::range_of(network_, tile).offset;
    const MatrixView<const float> x = input(tile.layer, chunk);
    products_[tile.layer]->gradient(deltas(tile.layer, chunk), x, tile.row, chunk > 0,
                                    {gradient, tile.rows, network_.layers[tile.layer].inputs}, scratch);
  }

  Network network_;
  std::vector<std::unique_ptr<Products<float>>> products_;  // [layers]
  Plan plan_;
  int deepest_ = -1;  // the deepest layer whose mean is penalised
  bool two_passes_ = false, kept_ = false;
  Buffer<float> theta_, gradient_, x_;
  std::vector<Buffer<float>> activations_, deltas_, partials_;
  mutable std::vector<Buffer<float>> scratches_;  // [threads]
  std::size_t scratch_elements_ = 0;
  double flops_ = 0;
};

}  // namespace layerwise

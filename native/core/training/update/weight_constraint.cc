#include "training/update/weight_constraint.h"

#include <cmath>
#include <vector>

#include "base/cut.h"
#include "kernels/vector_kernels.h"

namespace layerwise {
namespace {

// Rows of one matrix that a thread takes at a time.
struct RowBlock {
  const DenseLayer* layer;
  int first;
  int rows;
};

std::vector<RowBlock> row_blocks(const Network& network) {
  constexpr int kElements = 1 << 16;
  std::vector<RowBlock> blocks;
  for (const DenseLayer& layer : network.layers) {
    if (!layer.owns_weights()) continue;
    const Cut cut = Cut::at_most(layer.outputs, 1 + kElements / layer.inputs);
    for (int i = 0; i < cut.count; i++) blocks.push_back({&layer, cut.begin(i), cut.length(i)});
  }
  return blocks;
}

}  // namespace

template <typename T>
void project(Team& team, const WeightConstraint& constraint, const Network& network, T* theta) {
  if (constraint.kind == WeightConstraint::Kind::none) return;
  const auto& kernels = vector_kernels<T>();
  const std::vector<RowBlock> blocks = row_blocks(network);
  const int count = static_cast<int>(blocks.size());
  const auto each_row = [&](const RowBlock& block, const auto& body) {
    const auto width = static_cast<std::size_t>(block.layer->inputs);
    for (int i = 0; i < block.rows; i++) body(theta + block.layer->weights_at + (block.first + i) * width, width);
  };
  const auto shrink = [&](T* row, std::size_t width, double square) {
    if (square > constraint.max) kernels.scale(static_cast<T>(std::sqrt(constraint.max / square)), row, width);
  };

  if (constraint.kind == WeightConstraint::Kind::unit) {
    team.each(count, [&](int b) {
      each_row(blocks[b], [&](T* row, std::size_t width) { shrink(row, width, kernels.dot(row, row, width)); });
    });
    return;
  }
  std::vector<double> squares(blocks.size());
  team.each(count,
            [&](int b) { each_row(blocks[b], [&](T* row, std::size_t width) { squares[b] += kernels.dot(row, row, width); }); });
  double square = 0;
  for (double part : squares) square += part;
  team.each(count, [&](int b) { each_row(blocks[b], [&](T* row, std::size_t width) { shrink(row, width, square); }); });
}

template void project(Team&, const WeightConstraint&, const Network&, float*);
template void project(Team&, const WeightConstraint&, const Network&, double*);

}  // namespace layerwise

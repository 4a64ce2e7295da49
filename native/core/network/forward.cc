#include "network/forward.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "base/buffer.h"
#include "base/pages.h"
#include "kernels/finite.h"
#include "network/activate.h"
#include "network/plan.h"
#include "products/choose.h"
#include "products/grouped_blocks.h"
#include "rows/dense_pieces.h"
#include "rows/indexed_chunk.h"

namespace layerwise {
namespace {

// Blocks worked on together; bounds the memory of intermediate layers.
constexpr int kBlocksAtOnce = 32;

// Of rows of files fewer where they are long, since the windows hold them too: so many bytes, but a block for each thread.
template <typename T>
int blocks_at_once(const Network& network, const RowSource<T>& rows, int threads) {
  if (rows.window_bytes() == 0) return kBlocksAtOnce;
  const std::size_t of_row = Plan::row_elements(network) * sizeof(T) + rows.row_bytes();
  const std::size_t fitting = 2 * MemoryBudget::kChunk / (of_row * forward_block_rows(network));
  return static_cast<int>(std::clamp<std::size_t>(fitting, std::min(threads, kBlocksAtOnce), kBlocksAtOnce));
}

// Which rows of a block have a sum or an answer that is not finite.
template <typename T>
class Overflows {
 public:
  // values [rows, …] of the block's rows.
  template <typename E>
  void note(MatrixView<E> values) {
    if (all_finite(values)) return;
    rows_.resize(values.rows);
    for (int i = 0; i < values.rows; i++) {
      if (!all_finite(values.rows_from(i, 1))) rows_[i] = 1;
    }
  }
  bool any() const { return !rows_.empty(); }
  bool in_row(int i) const { return rows_[i] != 0; }

 private:
  std::vector<char> rows_;  // empty while there is none
};

// One call of forward().
template <typename T>
class ForwardPass {
 public:
  ForwardPass(const ForwardRequest<T>& request, int threads);
  bool run(Team& team, const StopFlag& stop, FirstBadRow& bad);

 private:
  // Where some rows stand: rows begin … of the chunk are rows first … of the request.
  struct Block {
    int first;
    int begin;
    int rows;
    int chunk_rows;
  };

  void pass(const Block& block);
  bool read(const Block& block, LayerInput<T>& x);
  void answer(const Block& block, MatrixView<T> y, const LayerInput<T>& x);
  MatrixView<T> outputs(const Block& block, int layer) const;
  void product(const Block& block, int layer, const LayerInput<T>& x, MatrixView<T> out);
  bool report(FirstBadRow& bad);

  const ForwardRequest<T>& request_;
  const Network& network_;
  RowSource<T>& source_;
  const int total_, block_rows_, chunk_rows_;
  const bool indexed_;              // rows come as index lists
  IndexedChunk<T> lists_;           // those of a chunk
  DensePieces<T> pieces_;           // of rows that answers compare with outputs
  Buffer<T> x_;                     // [chunk rows, inputs] of dense rows that do not lie in the source
  std::vector<Buffer<T>> outputs_;  // [layers][chunk rows, stride] of those that are not written where the caller wants them
  const std::vector<T> zeros_;      // biases of layers that have none
  std::vector<std::unique_ptr<Products<T>>> products_;  // [layers]
  bool may_group_;                                      // rows of the first layer may come in groups
  GroupedBlocks<T> grouped_;
  std::atomic<int> first_bad_;     // the first row of a block with a value that is not finite
  std::atomic<int> first_unheld_;  // the first row whose answer cannot be held
};

template <typename T>
ForwardPass<T>::ForwardPass(const ForwardRequest<T>& request, int threads)
    : request_(request),
      network_(*request.network),
      source_(*request.rows),
      total_(source_.count()),
      block_rows_(forward_block_rows(network_)),
      chunk_rows_(std::min(total_, block_rows_ * blocks_at_once(network_, source_, threads))),
      indexed_(source_.is_indexed()),
      pieces_(network_.inputs()),
      x_(indexed_ || source_.in_place(0, 1).data != nullptr ? 0 : static_cast<std::size_t>(chunk_rows_) * network_.inputs()),
      zeros_(network_.zeros(), T(0)),
      products_(choose_products<T>(network_.layers)),
      may_group_(!indexed_ && may_be_grouped(network_.layers.front(), std::min(total_, block_rows_), sizeof(T))),
      grouped_(may_group_ ? std::min(threads, Cut::at_most(chunk_rows_, block_rows_).count) : 0, std::min(total_, block_rows_),
               network_.inputs()),
      first_bad_(total_),
      first_unheld_(total_) {
  if (may_group_) products_.front() = choose_products<T>(network_.layers.front(), InputKind::grouped);
  if (indexed_) {
    products_.front() = choose_products<T>(network_.layers.front(), InputKind::indexed);
    if (request.compares()) pieces_.reserve(threads);
  }
  for (const auto& products : products_) products->prepare(request.theta);
  for (int l = 0; l < network_.depth(); l++) {
    const bool is_result = l + 1 == network_.depth() && request.out != nullptr;
    outputs_.emplace_back(is_result ? 0 : chunk_rows_ * stride_for(network_.layers[l].outputs));
  }
  if (request.out != nullptr) {
    prefer_huge_pages(request.out, static_cast<std::size_t>(total_) * network_.outputs() * sizeof(T));
  }
}

template <typename T>
bool ForwardPass<T>::run(Team& team, const StopFlag& stop, FirstBadRow& bad) {
  for (int chunk = 0, in_chunk; chunk < total_; chunk += in_chunk) {
    in_chunk = std::min(chunk_rows_, total_ - chunk);
    source_.open(nullptr, chunk, in_chunk);
    if (indexed_) lists_.open(source_, nullptr, chunk, in_chunk);
    team.each((in_chunk + block_rows_ - 1) / block_rows_, [&](int i) {
      if (stop.raised()) return;
      const int begin = i * block_rows_;
      pass({chunk + begin, begin, std::min(block_rows_, in_chunk - begin), in_chunk});
    });
    if (stop.raised()) return false;
    if (report(bad)) return true;
  }
  return true;
}

template <typename T>
void ForwardPass<T>::pass(const Block& block) {
  LayerInput<T> x;
  if (!read(block, x)) return lower(first_bad_, block.first);

  Overflows<T> overflows;
  LayerInput<T> input = x;
  MatrixView<T> y;
  for (int l = 0; l < network_.depth(); l++) {
    const DenseLayer& layer = network_.layers[l];
    y = outputs(block, l);
    product(block, l, input, y);
    overflows.note(y);
    activate(layer, y, layer.biases(request_.theta, zeros_.data()));
    input = MatrixView<const T>(y);
  }
  answer(block, y, x);
  if (request_.out != nullptr) {
    if (request_.may_overflow(network_.layers.back())) overflows.note(y);
  } else if (request_.result == ForwardResult::errors) {
    overflows.note(MatrixView<const double>(request_.errors + block.first, block.rows, 1));
  }
  if (!overflows.any()) return;
  std::vector<T> whole(network_.inputs());
  for (int i = 0; i < block.rows; i++) {
    const int row = block.first + i;
    if (!overflows.in_row(i)) continue;
    source_.read(nullptr, row, {whole.data(), 1, network_.inputs()});
    if (put_exact_answer<T>(request_, network_, request_.theta, row, whole.data()).column >= 0) lower(first_unheld_, row);
  }
}

// x = the block's rows. False if one has a value that is not finite or wrong indices.
template <typename T>
bool ForwardPass<T>::read(const Block& block, LayerInput<T>& x) {
  if (indexed_) {
    const bool good = lists_.fill(block.begin, block.rows);
    const IndexedRows<T> lists = lists_.input().rows_from(block.begin, block.rows);
    x = lists;
    const auto finite = [](T value) { return std::isfinite(value); };
    return good && std::all_of(lists.values + lists.starts[0], lists.values + lists.starts[block.rows], finite);
  }
  MatrixView<const T> rows = source_.in_place(block.first, block.rows);
  if (rows.data == nullptr) {
    const std::size_t from = static_cast<std::size_t>(block.begin) * network_.inputs();
    const MatrixView<T> copy{x_.data() + from, block.rows, network_.inputs()};
    source_.read(nullptr, block.first, copy);
    rows = copy;
  }
  x = rows;
  return all_finite(rows);
}

template <typename T>
void ForwardPass<T>::answer(const Block& block, MatrixView<T> y, const LayerInput<T>& x) {
  if (!indexed_ || !request_.compares()) {
    return put_answers(request_, block.first, y, indexed_ ? MatrixView<const T>() : std::get<MatrixView<const T>>(x));
  }
  pieces_.each(std::get<IndexedRows<T>>(x), [&](int first, MatrixView<const T> piece, T*) {
    put_answers(request_, block.first + first, y.rows_from(first, piece.rows), piece);
  });
}

// Where the outputs of a layer are written.
template <typename T>
MatrixView<T> ForwardPass<T>::outputs(const Block& block, int layer) const {
  const int cols = network_.layers[layer].outputs;
  if (layer + 1 == network_.depth() && request_.out != nullptr) {
    return MatrixView<T>(request_.out, total_, cols).rows_from(block.first, block.rows);
  }
  return matrix_in(outputs_[layer].data(), block.chunk_rows, cols).rows_from(block.begin, block.rows);
}

template <typename T>
void ForwardPass<T>::product(const Block& block, int layer, const LayerInput<T>& x, MatrixView<T> out) {
  if (layer > 0 || indexed_ || !may_be_grouped(network_.layers.front(), block.rows, sizeof(T))) {
    return products_[layer]->forward(x, out);
  }
  grouped_.with(std::get<MatrixView<const T>>(x), [&](const LayerInput<T>& rows) { products_[layer]->forward(rows, out); });
}

// Whether there is a bad place so far, and which.
template <typename T>
bool ForwardPass<T>::report(FirstBadRow& bad) {
  constexpr T limit = std::numeric_limits<T>::max();
  if (first_bad_.load() < total_) {
    const int first = first_bad_.load();
    find_bad(source_, first, std::min(block_rows_, total_ - first), -limit, limit, bad);
    if (bad.row < 0) throw BrokenRow(first);
    return true;
  }
  if (first_unheld_.load() == total_) return false;
  std::vector<T> x(network_.inputs());
  source_.read(nullptr, first_unheld_.load(), {x.data(), 1, network_.inputs()});
  bad = put_exact_answer<T>(request_, network_, request_.theta, first_unheld_.load(), x.data());
  return true;
}

}  // namespace

double forward_flops(const Network& network, int rows) {
  double weights = 0;
  for (const auto& layer : network.layers) weights += static_cast<double>(layer.weight_count());
  return 2 * weights * rows;
}

template <typename T>
bool forward(Team& team, const ForwardRequest<T>& request, const StopFlag& stop, FirstBadRow& bad) {
  return ForwardPass<T>(request, team.threads()).run(team, stop, bad);
}

template bool forward(Team&, const ForwardRequest<float>&, const StopFlag&, FirstBadRow&);
template bool forward(Team&, const ForwardRequest<double>&, const StopFlag&, FirstBadRow&);

}  // namespace layerwise

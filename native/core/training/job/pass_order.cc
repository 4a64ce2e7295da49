#include "training/job/pass_order.h"

#include <algorithm>
#include <utility>

namespace layerwise {

void PassOrder::begin(BlockPass pass, std::uint64_t seed, std::uint64_t index) {
  pass_ = std::move(pass);
  seed_ = seed;
  index_ = index;
  window_ = -1;
  begin_ = end_ = 0;
}

// Returns whether it was closed.
bool PassOrder::open_window_with(int place) {
  const int before = window_;
  // From the first window on.
  if (place < begin_) {
    window_ = -1;
    begin_ = end_ = 0;
  }
  while (place >= end_) {
    window_++;
    begin_ = end_;
    const int from = window_ * pass_.window_blocks, to = std::min(pass_.block_count(), from + pass_.window_blocks);
    for (int i = from; i < to; i++) end_ += pass_.end(pass_.blocks[i]) - pass_.begin(pass_.blocks[i]);
  }
  return window_ != before;
}

template <typename T>
void PassOrder::lay_out(const RowSource<T>& rows) {
  entries_.resize(end_ - begin_);
  std::uint32_t* out = entries_.data();
  for (int i = window_ * pass_.window_blocks; out != entries_.data() + entries_.size(); i++) {
    const int begin = pass_.begin(pass_.blocks[i]), count = pass_.end(pass_.blocks[i]) - begin;
    rows.entries(begin, count, out);
    out += count;
  }
  shuffle_.emplace(entries_.data(), end_ - begin_, seed_, static_cast<std::uint32_t>(Stream::shuffle), index_, 0, begin_);
}

template <typename T>
void PassOrder::copy(const RowSource<T>& rows, int first, int count, std::uint32_t* out) {
  for (int done = 0; done < count;) {
    if (open_window_with(first + done)) lay_out(rows);
    const int at = first + done - begin_, n = std::min(count - done, end_ - first - done);
    shuffle_->place(at + n);
    std::copy_n(entries_.data() + at, n, out + done);
    done += n;
  }
}

template void PassOrder::copy(const RowSource<float>&, int, int, std::uint32_t*);
template void PassOrder::copy(const RowSource<double>&, int, int, std::uint32_t*);

}  // namespace layerwise

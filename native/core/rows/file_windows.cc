#include "rows/file_windows.h"

#include <algorithm>
#include <numeric>

#include "base/memory_budget.h"
#include "base/memory_limit.h"

namespace layerwise {
namespace {

// Bytes of one piece of a window, of the windows of a pass in the rows' own order, and how many of these are read ahead.
constexpr std::size_t kPiece = 256 << 10, kSequentialWindow = std::size_t{8} << 20;
constexpr int kAhead = 2;

std::unique_ptr<ValueCheck> check_of(const Rows& rows) {
  if (!rows.files->within) return nullptr;
  auto check = std::make_unique<ValueCheck>(rows, rows.files->within->low, rows.files->within->high);
  return check->is_needed() ? std::move(check) : nullptr;
}

std::size_t bytes_of_row(const Rows& rows) { return rows.cols * traits_of(rows.storage).bytes; }

// Whether the rows would fill so much of the system's cache that other programs lose theirs.
bool fills_memory(const Rows& rows) {
  const std::uint64_t bytes = std::uint64_t{bytes_of_row(rows)} * static_cast<std::uint64_t>(rows.count);
  if (bytes <= MemoryBudget::kWithFiles) return false;
  const std::uint64_t limit = memory_limit();
  return limit > 0 && bytes > limit / 2;
}

bool same(const BlockPass& a, const BlockPass& b) {
  return a.count == b.count && a.block_rows == b.block_rows && a.first_rows == b.first_rows &&
         a.window_blocks == b.window_blocks && a.blocks == b.blocks;
}

}  // namespace

FileWindows::Pass::Pass(BlockPass blocks_in_order)
    : blocks(std::move(blocks_in_order)),
      places(blocks.blocks.size()),
      checked(blocks.window_count()),
      unchecked(blocks.window_count()) {
  const auto rows = static_cast<std::uint32_t>(block_rows());
  for (int i = 0; i < blocks.block_count(); i++) {
    places[blocks.blocks[i]] = {i / blocks.window_blocks, static_cast<std::uint32_t>(i % blocks.window_blocks) * rows};
  }
}

FileWindows::FileWindows(const Rows& rows)
    : count_(rows.count), row_bytes_(bytes_of_row(rows)), ahead_(*rows.files, row_bytes_, fills_memory(rows), check_of(rows)) {
  checking_ = ahead_.checks();
}

std::size_t FileWindows::bytes() const {
  return std::min<std::uint64_t>(2 * MemoryBudget::kWindow, std::uint64_t{row_bytes_} * static_cast<std::uint64_t>(count_));
}

// Blocks in their own order.
std::shared_ptr<FileWindows::Pass> FileWindows::sequential() {
  if (sequential_) return sequential_;
  BlockPass pass;
  pass.count = count_;
  pass.block_rows = pass.first_rows = static_cast<int>(std::max<std::size_t>(1, kPiece / row_bytes_));
  pass.window_blocks = static_cast<int>(std::max<std::size_t>(1, kSequentialWindow / (pass.block_rows * row_bytes_)));
  pass.blocks.resize(1 + (count_ - 1) / pass.block_rows);
  std::iota(pass.blocks.begin(), pass.blocks.end(), 0);
  return sequential_ = std::make_shared<Pass>(std::move(pass));
}

void FileWindows::follow(const BlockPass& pass, const BlockPass* next) {
  if (!followed_ || !same(followed_->blocks, pass)) {
    // What was read ahead of it stays.
    const bool expected = next_ && same(next_->blocks, pass);
    followed_ = expected ? std::move(next_) : std::make_shared<Pass>(pass);
    next_ = nullptr;
  }
  if (next == nullptr) {
    next_ = nullptr;
  } else if (!next_ || !same(next_->blocks, *next)) {
    next_ = std::make_shared<Pass>(*next);
  }
}

void FileWindows::open(const std::uint32_t* order, int first, int count) {
  open_ = false;
  alone_ = nullptr;
  const std::shared_ptr<Pass> pass = order == nullptr ? sequential() : followed_;
  if (!pass) return read_alone(order, first, count, checking_);
  const auto window_at = [&](int position) { return pass->places[pass->blocks.block_of(position)].window; };
  int least = window_at(order == nullptr ? first : static_cast<int>(order[first])), most = least;
  if (order == nullptr) {
    most = window_at(first + count - 1);
  } else {
    for (int i = first + 1; i < first + count; i++) {
      const int window = window_at(static_cast<int>(order[i]));
      least = std::min(least, window);
      most = std::max(most, window);
    }
  }
  const int needed = most - least + 1;
  aim(pass, least, needed);
  pass_ = pass;
  first_window_ = least;
  opened_.clear();
  for (int i = 0; i < needed; i++) {
    const Wanted& wanted = wanted_[i];
    if (!ahead_.wait_for(*wanted.window, stop_)) return;
    opened_.push_back(wanted.window->memory.data());
    if (!wanted.window->checked || pass->checked[wanted.index]) continue;
    pass->checked[wanted.index] = true;
    if (--pass->unchecked == 0) checking_ = false;
  }
  open_ = true;
}

// Wants so many windows of a pass, and those that follow them.
void FileWindows::aim(const std::shared_ptr<Pass>& pass, int window, int needed) {
  const bool in_order = pass == sequential_;
  const auto slots = static_cast<std::size_t>(in_order ? needed + kAhead : std::max(2, needed));
  slots_ = in_order ? std::max(slots_, slots) : slots;
  if (in_order && !wanted_.empty() && wanted_.front().pass == pass && window < wanted_.front().index) goes_round_ = true;
  std::vector<Wanted> wanted;
  std::shared_ptr<Pass> of = pass;
  for (int index = window; wanted.size() < slots_; index++) {
    if (index == of->blocks.window_count()) {
      const bool again = in_order && goes_round_;
      if (!again) of = !in_order && of == pass ? next_ : nullptr;
      index = 0;
    }
    const auto is_this = [&](const Wanted& other) { return other.pass == of && other.index == index; };
    if (!of || std::any_of(wanted.begin(), wanted.end(), is_this)) break;
    wanted.push_back({of, index, nullptr});
  }
  const auto same_window = [](const Wanted& a, const Wanted& b) { return a.pass == b.pass && a.index == b.index; };
  if (std::equal(wanted.begin(), wanted.end(), wanted_.begin(), wanted_.end(), same_window)) return;
  for (Wanted& one : wanted) one.window = window_of(one.pass, one.index);
  wanted_ = std::move(wanted);
  want(nullptr);
}

// The one that is wanted already, or a new one.
std::shared_ptr<Window> FileWindows::window_of(const std::shared_ptr<Pass>& pass, int index) {
  for (const Wanted& known : wanted_) {
    if (known.pass == pass && known.index == index) return known.window;
  }
  const BlockPass& blocks = pass->blocks;
  auto window = std::make_shared<Window>();
  const int most_blocks = std::min(blocks.window_blocks, blocks.block_count());
  window->bytes = static_cast<std::size_t>(most_blocks) * pass->block_rows() * row_bytes_;
  window->access = pass == sequential_ ? FileSystem::Access::in_order : FileSystem::Access::anywhere;
  window->checked = checking_;
  const int piece_rows = static_cast<int>(std::max<std::size_t>(1, kPiece / row_bytes_));
  const int begin = index * blocks.window_blocks, end = std::min(begin + blocks.window_blocks, blocks.block_count());
  for (int i = begin; i < end; i++) {
    const auto block = static_cast<int>(blocks.blocks[i]);
    const int first = blocks.begin(block), last = blocks.end(block);
    const std::size_t at = pass->places[block].row * row_bytes_;
    for (int row = first; row < last;) {
      const int rows = std::min(piece_rows, last - row);
      window->pieces.push_back({row, rows, at + static_cast<std::size_t>(row - first) * row_bytes_});
      row += rows;
    }
  }
  return window;
}

void FileWindows::read_alone(const std::uint32_t* order, int first, int count, bool checked) {
  open_ = false;
  auto window = std::make_shared<Window>();
  window->bytes = static_cast<std::size_t>(count) * row_bytes_;
  window->access = FileSystem::Access::anywhere;
  window->checked = checked;
  window->memory = Buffer<char>(window->bytes);
  const int most = static_cast<int>(std::max<std::size_t>(1, kPiece / row_bytes_));
  for (int i = 0; i < count; i++) {
    const auto position = static_cast<int>(order != nullptr ? order[first + i] : static_cast<std::uint32_t>(first + i));
    if (i > 0) {
      Window::Piece& last = window->pieces.back();
      if (position == last.first + last.count && last.count < most) {
        last.count++;
        continue;
      }
    }
    window->pieces.push_back({position, 1, static_cast<std::size_t>(i) * row_bytes_});
  }
  alone_ = window;
  alone_first_ = first;
  want(window);
  open_ = ahead_.wait_for(*window, stop_);
}

// The windows that are wanted, after one that is read alone where there is one.
void FileWindows::want(const std::shared_ptr<Window>& alone) {
  std::vector<std::shared_ptr<Window>> windows;
  if (alone) windows.push_back(alone);
  for (const Wanted& wanted : wanted_) windows.push_back(wanted.window);
  ahead_.want(windows, slots_);
}

}  // namespace layerwise

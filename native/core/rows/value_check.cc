#include "rows/value_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>

#include "kernels/vector_kernels.h"

namespace layerwise {
namespace {

// Numbers that are converted at a time: they stay in the first cache.
constexpr int kNumbersAtOnce = 2048;

// The least float that is not below x, and the largest that is not above it.
float float_above(double x) {
  const auto rounded = static_cast<float>(x);
  return rounded < x ? std::nextafter(rounded, std::numeric_limits<float>::infinity()) : rounded;
}
float float_below(double x) { return -float_above(-x); }

}  // namespace

ValueCheck::ValueCheck(const Rows& rows, double low, double high)
    : rows_(rows), low_(low), high_(high), needed_(!MemoryRows<double>(rows).is_known_within(low, high)) {
  // The caller's arrays may be gone before the last thread is.
  const auto own = [&](const double*& array, std::vector<double>& copy) {
    if (array == nullptr) return;
    copy.assign(array, array + rows.cols);
    array = copy.data();
  };
  own(rows_.scaling.shift, shift_);
  own(rows_.scaling.factor, factor_);
  own(rows_.scaling.centre, centre_);
  rows_.files = nullptr;
}

std::optional<ValueCheck::Place> ValueCheck::first_bad(const char* stored, int count) const {
  // Where float32 holds every value as it is, it is compared in float32.
  const bool short_floats = rows_.storage == Storage::f32 || rows_.storage == Storage::f16 || rows_.storage == Storage::bf16;
  const float low = float_above(low_), high = float_below(high_);
  if (short_floats && rows_.scale == 1 && !rows_.scaling && std::isfinite(low) && std::isfinite(high)) {
    return first_bad(stored, count, low, high);
  }
  return first_bad(stored, count, low_, high_);
}

template <typename T>
std::optional<ValueCheck::Place> ValueCheck::first_bad(const char* stored, int count, T low, T high) const {
  const auto& kernels = vector_kernels<T>();
  const auto gather = kernels.gather[static_cast<int>(rows_.storage)];
  const std::size_t row_bytes = rows_.cols * traits_of(rows_.storage).bytes;
  const bool in_place = rows_.storage == (std::is_same<T, float>::value ? Storage::f32 : Storage::f64) && !rows_.scaling;
  // Without a scaling of the columns short rows are as good as one long row.
  const int most = rows_.scaling ? 1 : std::max(1, kNumbersAtOnce / rows_.cols);
  std::vector<T> converted(in_place ? 0 : static_cast<std::size_t>(most) * rows_.cols);
  for (int i = 0; i < count;) {
    const int rows = std::min(most, count - i), numbers = rows * rows_.cols;
    const char* at = stored + i * row_bytes;
    if (!in_place) gather(at, numbers, rows_.scale, rows_.scaling, converted.data());
    const T* values = in_place ? reinterpret_cast<const T*>(at) : converted.data();
    if (!kernels.within({values, 1, numbers}, low, high)) {
      for (int row = i; row < i + rows; row++) {
        if (auto bad = bad_in_row(stored + row * row_bytes, row)) return bad;
      }
    }
    i += rows;
  }
  return std::nullopt;
}

// The first value of one row, looked for slowly and exactly.
std::optional<ValueCheck::Place> ValueCheck::bad_in_row(const char* stored, int row) const {
  std::vector<double> exact(rows_.cols);
  vector_kernels<double>().gather[static_cast<int>(rows_.storage)](stored, rows_.cols, rows_.scale, rows_.scaling, exact.data());
  for (int j = 0; j < rows_.cols; j++) {
    if (!(std::isfinite(exact[j]) && exact[j] >= low_ && exact[j] <= high_)) return Place{row, j, exact[j]};
  }
  return std::nullopt;
}

}  // namespace layerwise

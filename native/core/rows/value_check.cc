#include "rows/value_check.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "kernels/vector_kernels.h"

namespace layerwise {
namespace {

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
  std::vector<T> row(rows_.cols);
  for (int i = 0; i < count; i++) {
    const char* at = stored + i * row_bytes;
    gather(at, rows_.cols, rows_.scale, rows_.scaling, row.data());
    if (kernels.within({row.data(), 1, rows_.cols}, low, high)) continue;
    std::vector<double> exact(rows_.cols);
    vector_kernels<double>().gather[static_cast<int>(rows_.storage)](at, rows_.cols, rows_.scale, rows_.scaling, exact.data());
    int column = 0;
    while (exact[column] >= low_ && exact[column] <= high_ && std::isfinite(exact[column])) column++;
    return Place{i, column, exact[column]};
  }
  return std::nullopt;
}

}  // namespace layerwise

#pragma once
// Kernels that read input data, and kernels of the reported errors.
#include "kernels/lanes/sum.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

template <typename T>
void row_squared_errors(MatrixView<const T> y, MatrixView<const T> x, double* out) {
  for (int i = 0; i < y.rows; i++) {
    Sum<T> squares;
    sweep<T>(y.cols, [&](std::size_t j, auto span) LAYERWISE_INLINE_LAMBDA {
      squares.add_squared_difference(span.load(y.row(i) + j), span.load(x.row(i) + j));
    });
    out[i] = squares.total();
  }
}

template <typename T>
void squared_differences(MatrixView<T> y, MatrixView<const T> x) {
  for (int i = 0; i < y.rows; i++) {
    sweep<T>(y.cols, [&](std::size_t j, auto span) LAYERWISE_INLINE_LAMBDA {
      const V<T> error = span.load(y.row(i) + j) - span.load(x.row(i) + j);
      span.store(y.row(i) + j, error * error);
    });
  }
}

// read(x) is x in float64; the result is rounded to T once. Every operation is basic and gives the same in scalars and vectors,
// so the compiler may vectorise this.
template <typename T, typename In, typename Read>
LAYERWISE_INLINE void gather(const In* __restrict in, int cols, const ColumnScaling& scaling, T* __restrict out, Read read) {
  const double *shift = scaling.shift, *factor = scaling.factor, *centre = scaling.centre;
  if (shift == nullptr) {
    for (int j = 0; j < cols; j++) out[j] = static_cast<T>(read(in[j]));
  } else if (scaling.clips()) {
    for (int j = 0; j < cols; j++) {
      const double x = read(in[j]), value = (x - shift[j]) * factor[j];
      const double high_enough = value < scaling.low ? scaling.low : value;
      const double clipped = high_enough > scaling.high ? scaling.high : high_enough;
      // x - x is 0, or NaN where x is infinite or NaN: neither is brought into range.
      out[j] = static_cast<T>(clipped - (centre != nullptr ? centre[j] : 0) + (x - x));
    }
  } else if (centre == nullptr) {
    for (int j = 0; j < cols; j++) out[j] = static_cast<T>((read(in[j]) - shift[j]) * factor[j]);
  } else {
    for (int j = 0; j < cols; j++) out[j] = static_cast<T>((read(in[j]) - shift[j]) * factor[j] - centre[j]);
  }
}

template <typename T>
void gather_u8(const std::uint8_t* in, int cols, double scale, const ColumnScaling& scaling, T* out) {
  gather(in, cols, scaling, out, [scale](std::uint8_t x) LAYERWISE_INLINE_LAMBDA { return x * scale; });
}

template <typename T>
void gather_f32(const float* in, int cols, const ColumnScaling& scaling, T* out) {
  gather(in, cols, scaling, out, [](float x) LAYERWISE_INLINE_LAMBDA { return static_cast<double>(x); });
}

template <typename T>
void gather_f64(const double* in, int cols, const ColumnScaling& scaling, T* out) {
  gather(in, cols, scaling, out, [](double x) LAYERWISE_INLINE_LAMBDA { return x; });
}

// Distance in bytes. This is usually the first read of the caller's rows; the processor itself prefetches only to the end of a
// page.
constexpr std::size_t kAskedAhead = 16 * 1024;

template <typename T>
bool within(MatrixView<const T> x, T low, T high) {
  constexpr T largest = std::numeric_limits<T>::max();
  const V<T> lowest = all<T>(std::max(low, -largest)), highest = all<T>(std::min(high, largest));
  const int ahead = 1 + static_cast<int>(kAskedAhead / (sizeof(T) * static_cast<std::size_t>(x.cols)));
  for (int i = 0; i < x.rows; i++) {
    const char* later = reinterpret_cast<const char*>(x.row(i + ahead < x.rows ? i + ahead : i));
    I<T> outside{};
    sweep<T>(x.cols, [&](std::size_t j, auto span) LAYERWISE_INLINE_LAMBDA {
      // Both comparisons are false for NaN, so NaN counts as outside.
      __builtin_prefetch(later + j * sizeof(T));
      const V<T> v = span.load(x.row(i) + j);
      const I<T> inside = (v >= lowest) & (v <= highest);
      outside |= (I<T>)span.only((V<T>)~inside);
    });
    if (any<T>(outside)) return false;
  }
  return true;
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#pragma once
// Kernels that read input data, and kernels of the reported errors.
#include "kernels/lanes/sum.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

template <typename T>
void row_squared_errors(MatrixView<const T> y, MatrixView<const T> x, double* out) {
  for (int i = 0; i < y.rows; i++) {
    Sum<T> squares;
    sweep<T>(y.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      squares.add_squared_difference(part.load(y.row(i) + j), part.load(x.row(i) + j));
    });
    out[i] = squares.total();
  }
}

template <typename T>
void squared_differences(MatrixView<T> y, MatrixView<const T> x) {
  for (int i = 0; i < y.rows; i++) {
    sweep<T>(y.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      const V<T> error = part.load(y.row(i) + j) - part.load(x.row(i) + j);
      part.store(y.row(i) + j, error * error);
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

// How a number of each storage is read in float64, which holds all of them.
template <typename E, bool kScaled>
struct Read {
  double scale;
  LAYERWISE_INLINE double operator()(E x) const { return kScaled ? x * scale : static_cast<double>(x); }
};

typedef std::uint16_t Halves __attribute__((vector_size(LAYERWISE_VECTOR_BYTES / 2)));

// float16 as float32, exactly, by operations that every level has. Infinities and NaN stay what they are.
LAYERWISE_INLINE F widened_f16(Halves halves) {
  const FI bits = __builtin_convertvector(halves, FI);
  // Exponent and mantissa where float32 has them. The exponents' biases are 15 and 127; that of infinity goes from 31 to 255.
  const FI magnitude = (bits & 0x7fff) << 13;
  const FI least_normal = FI{} + (1 << 23), infinity = FI{} + (31 << 23);
  const FI normal = magnitude + (112 << 23) + ((magnitude >= infinity) & (112 << 23));
  // A denormal m * 2^-24, from 2^-14 + m * 2^-24, as no float32 on the way is denormal.
  const FI small = (FI)((F)(magnitude + (113 << 23)) - all<float>(0x1p-14f));
  const FI is_small = magnitude < least_normal;
  return (F)((is_small & small) | (~is_small & normal) | ((bits & 0x8000) << 16));
}

LAYERWISE_INLINE F widened_bf16(Halves halves) { return (F)(__builtin_convertvector(halves, FI) << 16); }

template <Storage kStorage>
LAYERWISE_INLINE void widen(const std::uint16_t* in, int n, float* out) {
  constexpr int step = Lanes<float>::kCount;
  const auto some = [&](int j, int count) LAYERWISE_INLINE_LAMBDA {
    Halves halves{};
    std::memcpy(&halves, in + j, count * sizeof *in);
    const F values = kStorage == Storage::f16 ? widened_f16(halves) : widened_bf16(halves);
    std::memcpy(out + j, &values, count * sizeof *out);
  };
  int j = 0;
  for (; j + step <= n; j += step) some(j, step);
  if (j < n) some(j, n - j);
}

// Half-width floats as float32 first: at once where that is all, else some at a time.
template <typename T, Storage kStorage>
void gather_halves(const std::uint16_t* in, int cols, double scale, const ColumnScaling& scaling, T* out) {
  if constexpr (std::is_same<T, float>::value) {
    if (scale == 1 && !scaling.shift) return widen<kStorage>(in, cols, out);
  }
  constexpr int kBlock = 256;
  float values[kBlock];
  for (int j = 0; j < cols; j += kBlock) {
    const int n = cols - j < kBlock ? cols - j : kBlock;
    widen<kStorage>(in + j, n, values);
    gather(values, n, scaling.from(j), out + j, Read<float, true>{scale});
  }
}

template <typename T, Storage kStorage>
void gather_stored(const void* in, int cols, double scale, const ColumnScaling& scaling, T* out) {
  const auto plain = [&](auto element, auto scaled) LAYERWISE_INLINE_LAMBDA {
    using E = decltype(element);
    gather(static_cast<const E*>(in), cols, scaling, out, Read<E, decltype(scaled)::value>{scale});
  };
  using Scaled = std::true_type;
  if constexpr (kStorage == Storage::u8) plain(std::uint8_t{}, Scaled{});
  if constexpr (kStorage == Storage::i8) plain(std::int8_t{}, Scaled{});
  if constexpr (kStorage == Storage::u16) plain(std::uint16_t{}, Scaled{});
  if constexpr (kStorage == Storage::i16) plain(std::int16_t{}, Scaled{});
  if constexpr (kStorage == Storage::u32) plain(std::uint32_t{}, Scaled{});
  if constexpr (kStorage == Storage::i32) plain(std::int32_t{}, Scaled{});
  if constexpr (kStorage == Storage::f32) plain(float{}, std::false_type{});
  if constexpr (kStorage == Storage::f64) plain(double{}, std::false_type{});
  if constexpr (kStorage == Storage::f16 || kStorage == Storage::bf16)
    gather_halves<T, kStorage>(static_cast<const std::uint16_t*>(in), cols, scale, scaling, out);
}

template <typename T, int... kStorages>
void add_gather(VectorKernels<T>& to, std::integer_sequence<int, kStorages...>) {
  ((to.gather[kStorages] = gather_stored<T, static_cast<Storage>(kStorages)>), ...);
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
    sweep<T>(x.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      // Both comparisons are false for NaN, so NaN counts as outside.
      __builtin_prefetch(later + j * sizeof(T));
      const V<T> v = part.load(x.row(i) + j);
      const I<T> inside = (v >= lowest) & (v <= highest);
      outside |= (I<T>)part.only((V<T>)~inside);
    });
    if (any<T>(outside)) return false;
  }
  return true;
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

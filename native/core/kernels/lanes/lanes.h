#pragma once
// The vectors of one level: LAYERWISE_VECTOR_BYTES wide, elements of T, written with the compilers' vector extensions. Included
// by the level's own file, which adds what the extensions lack:
//   fma(a, b, c)        a * b + c, rounded once where the processor can, which kFused says
//   root(a)             square root
//   at_least(low, x)    max(low, x) and
//   at_most(high, x)    min(high, x), both x where x is NaN
//   times_power(p, n)   p * 2^n for whole n, right down to denormals and up to infinity
//   times_normal_power  the same where 2^n is a normal number, or infinity, which then is the result
//   low_half, high_half floats as doubles
//   below_each_other(p, n)  16 bytes at p, at p + n and so on, where a vector is longer than that
//   keep_nonzero        by AVX-512 alone: of three vectors of floats the lanes that are not 0 in all three, behind each other
//   Rest<T>             the last, incomplete vector of a row

namespace layerwise::LAYERWISE_LEVEL {
namespace {

typedef float F __attribute__((vector_size(LAYERWISE_VECTOR_BYTES)));
typedef double D __attribute__((vector_size(LAYERWISE_VECTOR_BYTES)));
typedef std::int32_t FI __attribute__((vector_size(LAYERWISE_VECTOR_BYTES)));
typedef std::int64_t DI __attribute__((vector_size(LAYERWISE_VECTOR_BYTES)));

template <typename T>
struct Lanes;

template <>
struct Lanes<float> {
  using V = F;
  using I = FI;
  using Int = std::int32_t;
  static constexpr int kCount = LAYERWISE_VECTOR_BYTES / 4;
  static constexpr Int kSign = std::numeric_limits<Int>::min();
};

template <>
struct Lanes<double> {
  using V = D;
  using I = DI;
  using Int = std::int64_t;
  static constexpr int kCount = LAYERWISE_VECTOR_BYTES / 8;
  static constexpr Int kSign = std::numeric_limits<Int>::min();
};

template <typename T>
using V = typename Lanes<T>::V;
template <typename T>
using I = typename Lanes<T>::I;

template <typename T>
LAYERWISE_INLINE V<T> all(T x) {
  return x - V<T>{};
}

template <typename T>
LAYERWISE_INLINE V<T> load(const T* from) {
  V<T> v;
  std::memcpy(&v, from, sizeof v);
  return v;
}

template <typename T>
LAYERWISE_INLINE void store(T* to, V<T> v) {
  std::memcpy(to, &v, sizeof v);
}

template <typename T>
LAYERWISE_INLINE V<T> absolute(V<T> x) {
  return (V<T>)((I<T>)x & ~Lanes<T>::kSign);
}

// Whether a lane of a comparison is true.
template <typename T>
LAYERWISE_INLINE bool any(I<T> mask) {
  std::uint64_t words[sizeof(mask) / 8], seen = 0;
  std::memcpy(words, &mask, sizeof mask);
  for (std::uint64_t word : words) seen |= word;
  return seen != 0;
}

// size, which is not negative, with the sign of x
template <typename T>
LAYERWISE_INLINE V<T> with_sign(V<T> size, V<T> x) {
  return (V<T>)((I<T>)size | ((I<T>)x & Lanes<T>::kSign));
}

// -1, 0 or 1; NaN for NaN
template <typename T>
LAYERWISE_INLINE V<T> sign(V<T> x) {
  const V<T> zero{};
  return x > zero ? all<T>(1) : x < zero ? all<T>(-1) : x;
}

// All lanes of a vector, as sweep() passes them.
template <typename T>
struct Whole {
  LAYERWISE_INLINE V<T> load(const T* from) const { return LAYERWISE_LEVEL::load(from); }
  LAYERWISE_INLINE void store(T* to, V<T> v) const { LAYERWISE_LEVEL::store(to, v); }
  LAYERWISE_INLINE V<T> only(V<T> v) const { return v; }
};

// The first few lanes: the others are loaded as 0 and not stored. only() makes them 0.
template <typename T>
struct Rest;

// body(j, part) for every vector of [0, n). The incomplete last one goes through the same vector code as all others: an element's
// value does not depend on its place.
template <typename T, typename Body>
LAYERWISE_INLINE void sweep(std::size_t n, Body&& body) {
  constexpr std::size_t step = Lanes<T>::kCount;
  std::size_t j = 0;
  for (; j + step <= n; j += step) body(j, Whole<T>{});
  if (j < n) body(j, Rest<T>(static_cast<int>(n - j)));
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#pragma once
#include <array>
#include <cstddef>
#include <cstdint>

namespace layerwise {

// The use of random numbers: part of their counter, so that no two uses share a number.
enum class Stream : std::uint32_t {
  weights = 0,
  shuffle = 1,
  split = 2,
  patches = 3,
  corruption = 4,
  subspace = 5,
  blocks = 6,
  block_edges = 7
};

using Words = std::array<std::uint32_t, 4>;

// Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011): four random words for a counter and a key; no state.
Words philox(Words counter, std::array<std::uint32_t, 2> key);

// An integer in [0, bound) from two words, each as likely as the next within 2^-64: floor(x * bound / 2^64) for their 64-bit x.
std::uint32_t below(std::uint32_t bound, std::uint32_t high, std::uint32_t low);

// The numbers of one use: blocks of four words, reachable in any order.
class Draws {
 public:
  Draws(std::uint64_t seed, std::uint32_t stream, std::uint64_t index);
  Words block(std::uint32_t number) const;

 private:
  std::array<std::uint32_t, 2> key_;
  Words counter_;
};

// out[i] uniform on [low, high), drawn in float64 from one 32-bit word and rounded to T without leaving the interval; element i
// depends on (seed, stream, index, i) only. low < high, at least one T is between them, and count < 2^34.
template <typename T>
void uniform(T* out, std::size_t count, double low, double high, std::uint64_t seed, std::uint32_t stream, std::uint64_t index);

// Shuffles `count` values of the caller in place; the order is a function of (seed, stream, index). It starts at the first place
// (Fisher & Yates), so that the first values can be used before the rest is done.
class Shuffle {
 public:
  // The places before `placed` are already final, from an earlier Shuffle of the same values. `from`: the numbers drawn are those
  // of places from … from+count-1 of a longer array, so that several arrays share an index.
  Shuffle(std::uint32_t* values, std::uint32_t count, std::uint64_t seed, std::uint32_t stream, std::uint64_t index,
          std::uint32_t placed = 0, std::uint32_t from = 0);

  // Makes the places before `end` final; places that are already final do not change.
  void place(std::uint32_t end);

 private:
  std::uint32_t* values_;
  std::uint32_t count_, placed_, from_;
  Draws draws_;
};

// A random order of 0 … count-1.
void permutation(std::uint32_t* out, std::uint32_t count, std::uint64_t seed, std::uint32_t stream, std::uint64_t index);

}  // namespace layerwise

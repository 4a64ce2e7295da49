#pragma once
// Rows with many zeros, and their products.
#include "kernels/loops/panels.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

// Columns of a band: a panel of this many rows fits the nearest cache and leaves room. The cache usually has 32 KiB, on newer
// processors with AVX-512 48 KiB; there 40 KiB are a tenth faster than 26.
template <typename T>
constexpr int kBandColumns = (LAYERWISE_VECTOR_BYTES == 64 ? 40 : 26) * 1024 / (kPanel * LAYERWISE_VECTOR_BYTES);

template <typename T>
Cut bands_of(int cols) {
  return Cut::at_most(cols, kBandColumns<T>);
}

template <typename T>
int bands(int cols) {
  return bands_of<T>(cols).count;
}

// Branch-free compaction: a column is always written, and the end advances if one of the three is not zero.
template <typename T>
LAYERWISE_INLINE std::uint32_t keep(T a, T b, T c, int column, std::uint32_t kept, RowGroups<T>& out) {
  T* values = out.values + std::size_t{kept} * 3;
  values[0] = a;
  values[1] = b;
  values[2] = c;
  out.columns[kept] = static_cast<std::uint16_t>(column);
  return kept + ((a != 0) | (b != 0) | (c != 0));
}

// The columns of a part of `lanes` columns, unless all are zeros.
template <typename T, typename Part>
LAYERWISE_INLINE std::uint32_t keep(const T* a, const T* b, const T* c, int column, int lanes, Part part, std::uint32_t kept,
                                    RowGroups<T>& out) {
#if LAYERWISE_VECTOR_BYTES == 64
  if constexpr (std::is_same_v<T, float>) {
    static_assert(Lanes<T>::kCount <= RowGroups<T>::kSpare);
    const std::size_t at = kept;
    return kept + keep_nonzero(part.load(a), part.load(b), part.load(c), column, out.values + at * 3, out.columns + at);
  }
#endif
  const I<T> nonzero = (part.load(a) != T(0)) | (part.load(b) != T(0)) | (part.load(c) != T(0));
  if (!any<T>(nonzero)) return kept;
  int j = 0;
  if constexpr (std::is_same_v<T, float>) {
    std::int32_t moves[Lanes<T>::kCount];
    std::memcpy(moves, &nonzero, sizeof moves);
    for (; j + 4 <= lanes; j += 4) {
      F4 block[4] = {};
      std::memcpy(&block[0], a + j, sizeof(F4));
      std::memcpy(&block[1], b + j, sizeof(F4));
      std::memcpy(&block[2], c + j, sizeof(F4));
      turn<T>(block);
      for (int i = 0; i < 4; i++) {
        // The fourth number is overwritten by the next column, or is after the last one.
        std::memcpy(out.values + std::size_t{kept} * 3, &block[i], sizeof(F4));
        out.columns[kept] = static_cast<std::uint16_t>(column + j + i);
        kept -= static_cast<std::uint32_t>(moves[j + i]);
      }
    }
  }
  for (; j < lanes; j++) kept = keep(a[j], b[j], c[j], column + j, kept, out);
  return kept;
}

// The nonzero parts of a row: one bit for each vector, in wide rows for several vectors.
struct Signature {
  std::uint64_t words[4] = {};
};

template <typename T>
LAYERWISE_INLINE Signature signature(const T* row, int cols) {
  using Int = std::conditional_t<sizeof(T) == 4, std::uint32_t, std::uint64_t>;
  typedef Int Ints __attribute__((vector_size(LAYERWISE_VECTOR_BYTES)));
  constexpr int kBits = 8 * sizeof(T), kInts = sizeof(Signature) / sizeof(Int);
  Int ints[kInts] = {};
  const Cut runs = Cut::at_most(cols, kBits * Lanes<T>::kCount);
  for (int run = 0; run < runs.count; run++) {
    Ints seen{}, bit = Ints{} + Int{1};
    sweep<T>(runs.length(run), [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      seen |= (Ints)(part.load(row + runs.begin(run) + j) != T(0)) & bit;
      bit += bit;
    });
    Int lanes[Lanes<T>::kCount];
    std::memcpy(lanes, &seen, sizeof lanes);
    for (Int lane : lanes) ints[run % kInts] |= lane;
  }
  Signature result;
  std::memcpy(result.words, ints, sizeof ints);
  return result;
}

LAYERWISE_INLINE int distance(const Signature& a, const Signature& b) {
  int bits = 0;
  for (int i = 0; i < 4; i++) bits += __builtin_popcountll(a.words[i] ^ b.words[i]);
  return bits;
}

// The number of rows from which the three rows of a group are chosen. With random digits 29% of the columns are kept, and 35%
// without the search; the products of 784-196 save at least twice the time of the search.
constexpr int kSearched = 129;

// The order of rows in groups: each group is the first remaining row and the two most similar ones.
template <typename T>
void bring_alike_together(MatrixView<const T> x, std::uint16_t* order) {
  constexpr int kRows = RowGroups<T>::kRows;
  static_assert(kRows == 3 && kSearched % kRows == 0);
  Signature signatures[kSearched];
  for (int begin = 0; begin < x.rows; begin += kSearched) {
    const int rows = std::min(kSearched, x.rows - begin);
    std::uint16_t* left = order + begin;
    for (int i = 0; i < rows; i++) {
      signatures[i] = signature(x.row(begin + i), x.cols);
      left[i] = static_cast<std::uint16_t>(begin + i);
    }
    for (int at = 0; at + kRows < rows; at += kRows) {
      const Signature& first = signatures[left[at] - begin];
      int nearest = rows, second = rows, nearest_bits = std::numeric_limits<int>::max(), second_bits = nearest_bits;
      for (int i = at + 1; i < rows; i++) {
        const int bits = distance(first, signatures[left[i] - begin]);
        if (bits < nearest_bits) {
          second = nearest;
          second_bits = nearest_bits;
          nearest = i;
          nearest_bits = bits;
        } else if (bits < second_bits) {
          second = i;
          second_bits = bits;
        }
      }
      std::swap(left[at + 1], left[nearest]);
      std::swap(left[at + 2], left[second == at + 1 ? nearest : second]);
    }
  }
}

template <typename T>
void group_rows(MatrixView<const T> x, RowGroups<T>& out) {
  constexpr int kRows = RowGroups<T>::kRows, kLanes = Lanes<T>::kCount;
  static_assert(kRows == 3);
  bring_alike_together(x, out.order);
  out.rows = x.rows;
  out.bands = bands_of<T>(x.cols);
  const int groups = out.groups();
  std::uint32_t kept = 0;
  for (int band = 0; band < out.bands.count; band++) {
    const int from = out.bands.begin(band), width = out.bands.length(band);
    for (int g = 0; g < groups; g++) {
      out.starts[band * groups + g] = kept;
      // A missing row of the last group is a copy of its first row; its results are ignored.
      const auto row = [&](int r) { return x.row(out.order[g * kRows + r < x.rows ? g * kRows + r : g * kRows]) + from; };
      const T *a = row(0), *b = row(1), *c = row(2);
      sweep<T>(static_cast<std::size_t>(width), [&](std::size_t at, auto part) LAYERWISE_INLINE_LAMBDA {
        const int j = static_cast<int>(at);
        kept = keep(a + j, b + j, c + j, j, std::min(kLanes, width - j), part, kept, out);
      });
    }
  }
  out.starts[out.bands.count * groups] = kept;
}

template <typename T>
int panel_count(int units) {
  return Panels<T>(units).count();
}

template <typename T>
std::size_t panel_elements(int units, int inputs) {
  const Panels<T> panels(units);
  const int last = panels.count() - 1;
  return static_cast<std::size_t>(panels.begin(last) + panels.width(last)) * inputs;
}

template <typename T>
void transpose_panel(MatrixView<const T> w, int panel, T* out) {
  const Panels<T> panels(w.rows);
  // This part of the panel stays in the nearest cache while the units are written one after another.
  const Cut bands = bands_of<T>(w.cols);
  for (int band = 0; band < bands.count; band++) {
    const std::size_t before = static_cast<std::size_t>(panels.begin(panel)) * w.cols +
                               static_cast<std::size_t>(bands.begin(band)) * panels.width(panel);
    lay_out(Transpose::yes, w, panels, panel, bands.begin(band), bands.length(band), out + before);
  }
}

template <typename T>
void grouped_product(const RowGroups<T>& x, const T* w, MatrixView<T> z) {
  constexpr int kRows = RowGroups<T>::kRows;
  const Panels<T> panels(z.cols);
  const int groups = x.groups();
  for (int p = 0; p < panels.count(); p++) {
    const int unit = panels.begin(p);
    panels.with_part(p, [&](auto vectors, auto part) LAYERWISE_INLINE_LAMBDA {
      constexpr int kVectors = decltype(vectors)::value, kWidth = kVectors * Lanes<T>::kCount;
      const T* panel = w + static_cast<std::size_t>(unit) * x.bands.total;
      for (int band = 0; band < x.bands.count; band++) {
        const T* rows_of_band = panel + static_cast<std::size_t>(x.bands.begin(band)) * kWidth;
        for (int g = 0; g < groups; g++) {
          const std::uint32_t start = x.starts[band * groups + g], end = x.starts[band * groups + g + 1];
          const T* values = x.values + std::size_t{start} * kRows;
          const std::uint16_t* columns = x.columns + start;
          with_count<kRows>(x.rows - g * kRows, [&](auto rows) LAYERWISE_INLINE_LAMBDA {
            multiply<T, decltype(rows)::value, kVectors>(
                static_cast<int>(end - start), [&](int k) LAYERWISE_INLINE_LAMBDA { return values + k * kRows; }, 1,
                [&](int k) LAYERWISE_INLINE_LAMBDA { return rows_of_band + columns[k] * kWidth; },
                RowPart<kVectors, T, Whole<T>>{}, band > 0,
                [&](int r) LAYERWISE_INLINE_LAMBDA { return z.row(x.order[g * kRows + r]) + unit; }, part);
          });
        }
      }
    });
  }
}

// sums [columns of the band, width vectors] += x^T d for one group; its rows d(r) stay in registers.
template <int rows, int width, typename T, typename D, typename Part>
LAYERWISE_INLINE void add_group(int count, const T* values, const std::uint16_t* columns, D d, Part part, T* sums) {
  Registers<T, rows, width> deltas;
  unrolled<rows>([&](auto r) LAYERWISE_INLINE_LAMBDA {
    unrolled<width>([&](auto w) LAYERWISE_INLINE_LAMBDA { deltas.at(r, w) = part.load(w, d(r)); });
  });
  for (int k = 0; k < count; k++) {
    T* to = sums + columns[k] * (width * Lanes<T>::kCount);
    Registers<T, 1, rows> x;
    unrolled<rows>([&](auto r) LAYERWISE_INLINE_LAMBDA { x.at(r) = all<T>(values[std::size_t(k) * RowGroups<T>::kRows + r]); });
    unrolled<width>([&](auto w) LAYERWISE_INLINE_LAMBDA {
      V<T> sum = load(to + w * Lanes<T>::kCount);
      unrolled<rows>([&](auto r) LAYERWISE_INLINE_LAMBDA { sum = fma(x.at(r), deltas.at(r, w), sum); });
      store(to + w * Lanes<T>::kCount, sum);
    });
  }
}

template <typename T>
void grouped_gradient_part(const RowGroups<T>* blocks, int count, MatrixView<const T> d, bool add, MatrixView<T> out) {
  constexpr int kRows = RowGroups<T>::kRows;
  alignas(64) T sums[kBandColumns<T> * kPanel * Lanes<T>::kCount];
  const Panels<T> panels(d.cols);
  const Cut bands = bands_of<T>(out.cols);
  for (int p = 0; p < panels.count(); p++) {
    const int unit = panels.begin(p), width = panels.width(p);
    for (int band = 0; band < bands.count; band++) {
      const int columns = bands.length(band);
      std::fill(sums, sums + columns * width, T(0));
      panels.with_part(p, [&](auto vectors, auto part) LAYERWISE_INLINE_LAMBDA {
        int first = 0;
        for (int b = 0; b < count; b++) {
          const RowGroups<T>& x = blocks[b];
          const int groups = x.groups();
          for (int g = 0; g < groups; g++) {
            const std::uint32_t start = x.starts[band * groups + g], end = x.starts[band * groups + g + 1];
            with_count<kRows>(x.rows - g * kRows, [&](auto rows) LAYERWISE_INLINE_LAMBDA {
              add_group<decltype(rows)::value, decltype(vectors)::value>(
                  static_cast<int>(end - start), x.values + std::size_t{start} * kRows, x.columns + start,
                  [&](int r) LAYERWISE_INLINE_LAMBDA { return d.row(first + x.order[g * kRows + r]) + unit; }, part, sums);
            });
          }
          first += x.rows;
        }
      });
      const int units = panels.columns_in(p);
      const MatrixView<const T> sum(sums, columns, units, static_cast<std::size_t>(width));
      const MatrixView<T> to = out.block(unit, bands.begin(band), units, columns);
      add ? turn_over<true>(sum, to) : turn_over<false>(sum, to);
    }
  }
}

template <typename T>
void grouped_gradient(const RowGroups<T>* blocks, int count, MatrixView<const T> d, bool add, MatrixView<T> out) {
  // For this many rows, the values and deltas that every band reads are still in the second cache: with 5,000 rows this takes
  // 0.83 of the time.
  constexpr int kFewestRows = 1000;
  for (int from = 0, first = 0; from < count;) {
    int to = from, rows = 0;
    while (to < count && rows < kFewestRows) rows += blocks[to++].rows;
    grouped_gradient_part(blocks + from, to - from, d.rows_from(first, rows), add || from > 0, out);
    from = to;
    first += rows;
  }
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#pragma once
// The output layer: activation, loss and delta in one sweep.
#include "kernels/loops/layer.h"

namespace layerwise::LAYERWISE_LEVEL {
namespace {

template <typename T>
struct Output {
  V<T> y;
  V<T> lost;   // the element's contribution to the loss; for squared to twice the loss, for euclidean to the square of the row's
               // loss
  V<T> delta;  // d loss / d z without the scale
};

// d f'(z).
template <Activation f, typename T>
LAYERWISE_INLINE V<T> back(V<T> d, const Activated<T>& at) {
  if constexpr (traits_of(f).stores_slope) {
    return d * at.slope;
  } else {
    return times_slope<f, T>(d, at.a);
  }
}

template <Loss loss, Activation f, typename T>
LAYERWISE_INLINE Output<T> output(V<T> z, V<T> x) {
  if constexpr (loss == Loss::cross_entropy) {
    // From z: ln(1 + e^z) - x z = max(z, 0) - x z + ln(1 + e^-|z|), finite where y has rounded to 0 or 1.
    const V<T> e = exponential<T>(-absolute<T>(z));
    const V<T> y = (z < T(0) ? e : all<T>(1)) / (e + T(1));
    return {y, at_least(V<T>{}, z) - x * z + log_one_plus<T>(e), y - x};
  } else {
    const Activated<T> at = activated<f, T>(z);
    const V<T> error = at.a - x;
    if constexpr (loss == Loss::absolute) return {at.a, absolute<T>(error), back<f, T>(sign<T>(error), at)};
    return {at.a, error * error, back<f, T>(error, at)};
  }
}

// Losses of rows, summed in row order.
template <Loss loss, typename T>
class LossSum {
 public:
  // Adds the lanes of Output::lost of one row; returns the row's norm for euclidean, else 0.
  LAYERWISE_INLINE double add_row(V<T> lost) {
    if constexpr (loss == Loss::euclidean) {
      Sum<T> row;
      row.add(lost);
      const double norm = std::sqrt(row.total());
      norms_ += norm;
      return norm;
    } else {
      sum_.add(lost);
      return 0;
    }
  }
  LAYERWISE_INLINE double total() const {
    if constexpr (loss == Loss::euclidean) return norms_;
    return loss == Loss::squared ? sum_.total() / 2 : sum_.total();
  }

 private:
  Sum<T> sum_;
  double norms_ = 0;
};

// Two sweeps over each row, since every delta needs the norm of the row. The first replaces z by y, unless f' is made of z.
template <Activation f, typename T>
double euclidean_delta(MatrixView<T> z, const T* bias, MatrixView<const T> x, T scale, T* sums) {
  std::fill(sums, sums + z.cols, T(0));
  LossSum<Loss::euclidean, T> total;
  for (int i = 0; i < z.rows; i++) {
    T* out = z.row(i);
    const T* in = x.row(i);
    V<T> lost{};
    sweep<T>(z.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      const auto o = output<Loss::euclidean, f, T>(part.load(out + j) + part.load(bias + j), part.load(in + j));
      lost += part.only(o.lost);
      if constexpr (!traits_of(f).stores_slope) part.store(out + j, o.y);
    });
    const double norm = total.add_row(lost);
    const V<T> factor = all<T>(norm == 0 ? T(0) : static_cast<T>(scale / norm));
    sweep<T>(z.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      V<T> delta;
      if constexpr (traits_of(f).stores_slope) {
        delta = output<Loss::euclidean, f, T>(part.load(out + j) + part.load(bias + j), part.load(in + j)).delta * factor;
      } else {
        const V<T> y = part.load(out + j);
        delta = times_slope<f, T>((y - part.load(in + j)) * factor, y);
      }
      part.store(out + j, delta);
      part.store(sums + j, part.load(sums + j) + delta);
    });
  }
  return total.total();
}

template <Loss loss, Activation f, typename T>
double delta_with(MatrixView<T> z, const T* bias, MatrixView<const T> x, T scale, T* sums) {
  std::fill(sums, sums + z.cols, T(0));
  LossSum<loss, T> total;
  by_rows(z.rows, [&](int i, auto rows) LAYERWISE_INLINE_LAMBDA {
    constexpr int kCount = decltype(rows)::value;
    Registers<T, 1, kCount> lost;
    unrolled<kCount>([&](auto r) LAYERWISE_INLINE_LAMBDA { lost.at(r) = V<T>{}; });
    sweep<T>(z.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      const V<T> b = part.load(bias + j);
      V<T> sum = part.load(sums + j);
      unrolled<kCount>([&](auto r) LAYERWISE_INLINE_LAMBDA {
        const auto o = output<loss, f, T>(part.load(z.row(i + r) + j) + b, part.load(x.row(i + r) + j));
        lost.at(r) += part.only(o.lost);
        const V<T> delta = o.delta * scale;
        part.store(z.row(i + r) + j, delta);
        sum += delta;
      });
      part.store(sums + j, sum);
    });
    unrolled<kCount>([&](auto r) LAYERWISE_INLINE_LAMBDA { total.add_row(lost.at(r)); });
  });
  return total.total();
}

template <Loss loss, Activation f, typename T>
double loss_with(MatrixView<const T> z, const T* bias, MatrixView<const T> x) {
  LossSum<loss, T> total;
  for (int i = 0; i < z.rows; i++) {
    V<T> lost{};
    sweep<T>(z.cols, [&](std::size_t j, auto part) LAYERWISE_INLINE_LAMBDA {
      lost += part.only(output<loss, f, T>(part.load(z.row(i) + j) + part.load(bias + j), part.load(x.row(i) + j)).lost);
    });
    total.add_row(lost);
  }
  return total.total();
}

template <typename T>
double output_delta(Loss loss, Activation f, MatrixView<T> z, const T* bias, MatrixView<const T> x, T scale, T* sums) {
  if (loss == Loss::cross_entropy) return delta_with<Loss::cross_entropy, Activation::sigmoid>(z, bias, x, scale, sums);
  return with_constant(f, [&](auto f) {
    constexpr Activation kF = decltype(f)::value;
    if (loss == Loss::euclidean) return euclidean_delta<kF>(z, bias, x, scale, sums);
    if (loss == Loss::absolute) return delta_with<Loss::absolute, kF>(z, bias, x, scale, sums);
    return delta_with<Loss::squared, kF>(z, bias, x, scale, sums);
  });
}

template <typename T>
double output_loss(Loss loss, Activation f, MatrixView<const T> z, const T* bias, MatrixView<const T> x) {
  if (loss == Loss::cross_entropy) return loss_with<Loss::cross_entropy, Activation::sigmoid>(z, bias, x);
  return with_constant(f, [&](auto f) {
    constexpr Activation kF = decltype(f)::value;
    if (loss == Loss::euclidean) return loss_with<Loss::euclidean, kF>(z, bias, x);
    if (loss == Loss::absolute) return loss_with<Loss::absolute, kF>(z, bias, x);
    return loss_with<Loss::squared, kF>(z, bias, x);
  });
}

}  // namespace
}  // namespace layerwise::LAYERWISE_LEVEL

#include "vector_testing.h"

namespace layerwise {
namespace {

template <typename T>
class VectorLayer : public testing::Test {};
TYPED_TEST_SUITE(VectorLayer, Precisions);

// One element of an output layer, by the definitions.
struct Reference {
  long double y, loss, delta;  // loss is the square for euclidean
};

Reference reference(Loss loss, Activation f, long double z, long double x) {
  const long double y = apply(f, z), e = y - x;
  if (loss == Loss::cross_entropy) return {y, -x * std::log(y) - (1 - x) * std::log1p(-y), e};
  if (loss == Loss::absolute) return {y, std::abs(e), sign(e) * slope(f, z)};
  return {y, loss == Loss::squared ? e * e / 2 : e * e, e * slope(f, z)};
}

TYPED_TEST(VectorLayer, ActivateAddsTheBiasAppliesFAndSumsColumns) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& k, int rows, int cols, int gap) {
    const auto bias = random_vector<T>(cols, -1, 1, 7);
    for (Activation f : kActivations) {
      SCOPED_TRACE(static_cast<int>(f));
      const Spaced<T> z(rows, cols, gap, -4, 4, 8);
      Spaced<T> a = z, without_sums = z, slopes(rows, cols, gap + 3);
      std::vector<T> sums(cols, T(99));
      k.activate(f, a.view(), bias.data(), sums.data(), slopes.view());
      k.activate(f, without_sums.view(), bias.data(), nullptr, {});
      for (int j = 0; j < cols; j++) {
        long double sum = 0;
        for (int i = 0; i < rows; i++) {
          const T in = z.at(i, j) + bias[j];
          ASSERT_NEAR(a.at(i, j), apply(f, in), tolerance::kElement * kEpsilon<T>) << i << ' ' << j;
          ASSERT_TRUE(same_bits(a.at(i, j), without_sums.at(i, j)));
          if (traits_of(f).stores_slope) {
            ASSERT_NEAR(slopes.at(i, j), slope(f, in), tolerance::kElement * kEpsilon<T>);
          }
          sum += a.at(i, j);
        }
        ASSERT_NEAR(sums[j], sum, tolerance::kRowSum * rows * 5 * kEpsilon<T>) << j;
      }
      ASSERT_TRUE(a.gaps_untouched());
      ASSERT_TRUE(slopes.gaps_untouched());
    }
  });
}

TYPED_TEST(VectorLayer, OutputDeltaAgreesWithTheDefinitions) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& k, int rows, int cols, int gap) {
    const auto bias = random_vector<T>(cols, -1, 1, 7);
    const Spaced<T> z(rows, cols, gap, -3, 3, 8), x(rows, cols, gap + 1, 0.05, 0.95, 9);
    const T scale = T(0.25);
    for (Loss loss : kLosses) {
      for (Activation f : kActivations) {
        if (!possible(loss, f)) continue;
        SCOPED_TRACE(testing::Message() << "loss " << static_cast<int>(loss) << " activation " << static_cast<int>(f));
        Spaced<T> d = z;
        std::vector<T> sums(cols, T(99));
        const double got = k.output_delta(loss, f, d.view(), bias.data(), x.view(), scale, sums.data());
        long double total = 0;
        std::vector<long double> column(cols, 0);
        for (int i = 0; i < rows; i++) {
          long double row = 0;
          for (int j = 0; j < cols; j++) row += reference(loss, f, T(z.at(i, j) + bias[j]), x.at(i, j)).loss;
          const long double norm = loss == Loss::euclidean ? std::sqrt(row) : 1;
          total += loss == Loss::euclidean ? norm : row;
          for (int j = 0; j < cols; j++) {
            const long double want = scale * reference(loss, f, T(z.at(i, j) + bias[j]), x.at(i, j)).delta / norm;
            ASSERT_NEAR(d.at(i, j), want, tolerance::kElement * kEpsilon<T>) << i << ' ' << j;
            column[j] += d.at(i, j);
          }
        }
        ASSERT_NEAR(got, total, tolerance::kLoss * kEpsilon<T> * total);
        for (int j = 0; j < cols; j++) ASSERT_NEAR(sums[j], column[j], tolerance::kRowSum * rows * kEpsilon<T>) << j;
        ASSERT_EQ(k.output_loss(loss, f, z.view(), bias.data(), x.view()), got);
        ASSERT_TRUE(d.gaps_untouched());
      }
    }
  });
}

TYPED_TEST(VectorLayer, HiddenDeltaAgreesWithTheDefinition) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& k, int rows, int cols, int gap) {
    const auto pull = random_vector<T>(cols, -1, 1, 7);
    const Spaced<T> before(rows, cols, gap, -1, 1, 8);
    for (Activation f : kActivations) {
      const Spaced<T> z(rows, cols, gap + 2, -2, 2, 9);
      Spaced<T> a = z, slopes(rows, cols, gap + 1);
      const std::vector<T> zero(cols, T(0));
      k.activate(f, a.view(), zero.data(), nullptr, slopes.view());
      for (const T* p : {static_cast<const T*>(nullptr), pull.data()}) {
        for (T l1 : {T(0), T(0.5)}) {
          SCOPED_TRACE(testing::Message() << "activation " << static_cast<int>(f) << " pull " << (p != nullptr) << " l1 " << l1);
          Spaced<T> d = before;
          std::vector<T> sums(cols, T(99));
          k.hidden_delta(f, d.view(), a.view(), slopes.view(), p, l1, sums.data());
          for (int j = 0; j < cols; j++) {
            long double sum = 0;
            for (int i = 0; i < rows; i++) {
              const long double pulled = (long double)(before.at(i, j)) + (p != nullptr ? p[j] : 0) + l1 * sign(a.at(i, j));
              ASSERT_NEAR(d.at(i, j), pulled * slope(f, z.at(i, j)), tolerance::kElement * kEpsilon<T>) << i << ' ' << j;
              sum += d.at(i, j);
            }
            ASSERT_NEAR(sums[j], sum, tolerance::kRowSum * rows * 3 * kEpsilon<T>) << j;
          }
          ASSERT_TRUE(d.gaps_untouched());
        }
      }
    }
  });
}

TYPED_TEST(VectorLayer, AbsoluteSumAddsAbsoluteValues) {
  using T = TypeParam;
  at_all_sizes<T>([](const VectorKernels<T>& k, int rows, int cols, int gap) {
    const Spaced<T> a(rows, cols, gap, -1, 1, 3);
    long double sum = 0;
    for (int i = 0; i < rows; i++) {
      for (int j = 0; j < cols; j++) sum += std::abs(static_cast<long double>(a.at(i, j)));
    }
    ASSERT_NEAR(k.absolute_sum(a.view()), sum, tolerance::kLoss * kEpsilon<T> * sum);
  });
}

TYPED_TEST(VectorLayer, APerfectReconstructionHasNoLossAndNoDelta) {
  using T = TypeParam;
  for (VectorLevel level : levels()) {
    for (Loss loss : {Loss::squared, Loss::euclidean, Loss::absolute}) {
      std::vector<T> z{1, -2, 0.5, 3, 4}, sums(5, T(1));
      const std::vector<T> x = z, bias(5, T(0));
      EXPECT_EQ(vector_kernels<T>(level).output_delta(loss, Activation::identity, {z.data(), 1, 5}, bias.data(), {x.data(), 1, 5},
                                                      1, sums.data()),
                0);
      EXPECT_EQ(z, std::vector<T>(5, T(0)));
      EXPECT_EQ(sums, std::vector<T>(5, T(0)));
    }
  }
}

// Flat parts and kinks have slope 0.
TYPED_TEST(VectorLayer, KinksHaveSlopeZero) {
  using T = TypeParam;
  for (VectorLevel level : levels()) {
    const std::vector<T> a{0, T(0.5), 1, 2};
    std::vector<T> d(4, T(3)), sums(4);
    vector_kernels<T>(level).hidden_delta(Activation::relu, {d.data(), 1, 4}, {a.data(), 1, 4}, {}, nullptr, 0, sums.data());
    EXPECT_EQ(d, (std::vector<T>{0, 3, 3, 3}));
    d.assign(4, T(3));
    vector_kernels<T>(level).hidden_delta(Activation::leaky_relu, {d.data(), 1, 4}, {a.data(), 1, 4}, {}, nullptr, 0,
                                          sums.data());
    EXPECT_EQ(d, (std::vector<T>{T(3) * T(0.01), 3, 3, 3})) << "of leaky_relu the slope below";
    d.assign(4, T(3));
    vector_kernels<T>(level).hidden_delta(Activation::satlin, {d.data(), 1, 4}, {a.data(), 1, 4}, {}, nullptr, 0, sums.data());
    EXPECT_EQ(d, (std::vector<T>{0, 3, 0, 0}));
    d.assign(4, T(3));
    vector_kernels<T>(level).hidden_delta(Activation::identity, {d.data(), 1, 4}, {a.data(), 1, 4}, {}, nullptr, 1, sums.data());
    EXPECT_EQ(d, (std::vector<T>{3, 4, 4, 4})) << "sign(0) is 0";
  }
}

TYPED_TEST(VectorLayer, NaNReachesDeltasSumsAndLoss) {
  using T = TypeParam;
  constexpr int kCols = 19;
  for (VectorLevel level : levels()) {
    const auto& k = vector_kernels<T>(level);
    const std::vector<T> bias(kCols, T(0)), x(kCols, T(0.5));
    for (int at : {0, 7, 15, 18}) {
      for (Activation f : kActivations) {
        SCOPED_TRACE(testing::Message() << vector_level_name(level) << " activation " << static_cast<int>(f) << " at " << at);
        std::vector<T> sums(kCols);
        for (Loss loss : kLosses) {
          if (!possible(loss, f)) continue;
          std::vector<T> z(kCols, T(0.25));
          z[at] = kNaN<T>;
          EXPECT_TRUE(std::isnan(k.output_loss(loss, f, {z.data(), 1, kCols}, bias.data(), {x.data(), 1, kCols})));
          EXPECT_TRUE(
              std::isnan(k.output_delta(loss, f, {z.data(), 1, kCols}, bias.data(), {x.data(), 1, kCols}, 1, sums.data())));
          EXPECT_TRUE(std::isnan(z[at]));
          EXPECT_TRUE(std::isnan(sums[at]));
        }
        std::vector<T> d(kCols, T(1)), a(kCols, T(0)), slopes(kCols, T(1));
        d[at] = kNaN<T>;
        k.hidden_delta(f, {d.data(), 1, kCols}, {a.data(), 1, kCols}, {slopes.data(), 1, kCols}, nullptr, 0, sums.data());
        EXPECT_TRUE(std::isnan(d[at]) && std::isnan(sums[at]));
        if (f == Activation::identity) continue;
        d.assign(kCols, T(1));
        a[at] = kNaN<T>;
        k.activate(f, {a.data(), 1, kCols}, bias.data(), nullptr, {slopes.data(), 1, kCols});
        k.hidden_delta(f, {d.data(), 1, kCols}, {a.data(), 1, kCols}, {slopes.data(), 1, kCols}, nullptr, 0, sums.data());
        EXPECT_TRUE(std::isnan(d[at]) && std::isnan(sums[at]));
      }
    }
  }
}

// Blocks of rows may be cut anywhere, and an element may be in any column.
TYPED_TEST(VectorLayer, AnElementsBitsDoNotDependOnItsPlace) {
  using T = TypeParam;
  constexpr int kRows = 6, kCols = 37;
  for (VectorLevel level : levels()) {
    const auto& k = vector_kernels<T>(level);
    for (T value : random_vector<T>(50, -3, 3, 11)) {
      const std::vector<T> bias(kCols, T(0.1)), x(kRows * kCols, T(0.3)), pull(kCols, T(0.7));
      std::vector<T> sums(kCols);
      const MatrixView<const T> target{x.data(), kRows, kCols};
      for (Activation f : kActivations) {
        std::vector<T> a(kRows * kCols, value), slopes(kRows * kCols, T(1));
        k.activate(f, {a.data(), kRows, kCols}, bias.data(), sums.data(), {slopes.data(), kRows, kCols});
        for (T y : slopes) ASSERT_TRUE(same_bits(y, slopes[0]));
        for (T y : a) ASSERT_TRUE(same_bits(y, a[0]));
        for (T sum : sums) ASSERT_TRUE(same_bits(sum, sums[0]));
        std::vector<T> d(kRows * kCols, value);
        k.hidden_delta(f, {d.data(), kRows, kCols}, {a.data(), kRows, kCols}, {slopes.data(), kRows, kCols}, pull.data(), T(0.2),
                       sums.data());
        for (T y : d) ASSERT_TRUE(same_bits(y, d[0]));
        for (Loss loss : kLosses) {
          if (!possible(loss, f)) continue;
          std::vector<T> z(kRows * kCols, value);
          k.output_delta(loss, f, {z.data(), kRows, kCols}, bias.data(), target, T(0.1), sums.data());
          for (T y : z) ASSERT_TRUE(same_bits(y, z[0])) << static_cast<int>(loss) << ' ' << static_cast<int>(f);
        }
      }
    }
  }
}

TYPED_TEST(VectorLayer, DoesNotWriteToAMatrixWithoutRows) {
  using T = TypeParam;
  for (VectorLevel level : levels()) {
    const std::vector<T> bias(3, T(1));
    std::vector<T> sums(3, T(9));
    vector_kernels<T>(level).activate(Activation::sigmoid, {nullptr, 0, 3}, bias.data(), sums.data(), {});
    EXPECT_EQ(sums, std::vector<T>(3, T(0)));
  }
}

}  // namespace
}  // namespace layerwise

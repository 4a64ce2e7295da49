// Accuracy of the elementary functions, and their results for NaN and infinity, tested through the kernels that use them.
#include "vector_testing.h"

namespace layerwise {
namespace {

template <typename T>
class VectorMath : public testing::Test {};
TYPED_TEST_SUITE(VectorMath, Precisions);

// |got - want| in units of the last place of want rounded to T; below the normal numbers in units of the smallest.
template <typename T>
double ulps(T got, long double want) {
  if (static_cast<T>(want) == got) return 0;
  const int digits = std::numeric_limits<T>::digits, lowest = std::numeric_limits<T>::min_exponent;
  int exponent = 0;
  std::frexp(want, &exponent);
  return static_cast<double>(std::abs(got - want) / std::ldexp(1.0L, std::max(exponent, lowest) - digits));
}

template <typename T>
std::vector<T> applied(const VectorKernels<T>& k, Activation f, std::vector<T> z) {
  const std::vector<T> bias(z.size(), T(0));
  k.activate(f, {z.data(), 1, static_cast<int>(z.size())}, bias.data(), nullptr, {});
  return z;
}

// f'(z): what is stored beside f(z), or what a hidden delta of 1 becomes.
template <typename T>
std::vector<T> slopes(const VectorKernels<T>& k, Activation f, std::vector<T> z) {
  const int n = static_cast<int>(z.size());
  const std::vector<T> bias(n, T(0));
  std::vector<T> stored(n), d(n, T(1)), sums(n);
  k.activate(f, {z.data(), 1, n}, bias.data(), nullptr, {stored.data(), 1, n});
  k.hidden_delta(f, {d.data(), 1, n}, {z.data(), 1, n}, {stored.data(), 1, n}, nullptr, 0, sums.data());
  return d;
}

// -scale … scale evenly, and as many numbers of every size below.
template <typename T>
std::vector<T> sweep(double scale) {
  auto x = random_vector<T>(200000, -scale, scale, 1);
  const auto exponents = random_vector<double>(200000, -40, std::log2(scale), 2);
  for (std::size_t i = 0; i < exponents.size(); i++) x.push_back(static_cast<T>((i % 2 ? 1 : -1) * std::exp2(exponents[i])));
  return x;
}

template <typename T>
void expect_ulps(Activation f, double scale, double tolerance) {
  const auto x = sweep<T>(scale);
  for (VectorLevel level : levels()) {
    const auto got = applied(vector_kernels<T>(level), f, x);
    double worst = 0;
    T where = 0;
    for (std::size_t i = 0; i < x.size(); i++) {
      const double error = ulps(got[i], apply(f, x[i]));
      if (error > worst) worst = error, where = x[i];
    }
    EXPECT_LE(worst, tolerance) << vector_level_name(level) << " at " << where;
  }
}

TYPED_TEST(VectorMath, SigmoidIsAccurateToTheLastPlaces) {
  expect_ulps<TypeParam>(Activation::sigmoid, std::is_same_v<TypeParam, float> ? 87 : 708, tolerance::kSigmoidUlps);
}

TYPED_TEST(VectorMath, TanhIsAccurateToTheLastPlacesDownToZero) {
  expect_ulps<TypeParam>(Activation::tanh, 30, tolerance::kTanhUlps);
}

// How far to both sides of 0 f(z) is 0 or a normal number.
template <typename T>
double reach(Activation f) {
  constexpr bool single = std::is_same_v<T, float>;
  if (f == Activation::gelu) return single ? 13 : 37.5;
  if (f == Activation::silu) return single ? 91 : 713;
  return single ? 87 : 708;
}

TYPED_TEST(VectorMath, EluAndSoftplusAreAccurateToTheLastPlacesInTheirTailsToo) {
  for (Activation f : {Activation::elu, Activation::softplus})
    expect_ulps<TypeParam>(f, reach<TypeParam>(f), tolerance::kSoftplusUlps);
}

TYPED_TEST(VectorMath, GeluAndSiluAreAccurateToTheLastPlacesDownToTheLeastNormalNumber) {
  expect_ulps<TypeParam>(Activation::silu, reach<TypeParam>(Activation::silu), tolerance::kSiluUlps);
  expect_ulps<TypeParam>(Activation::gelu, reach<TypeParam>(Activation::gelu), tolerance::kGeluUlps);
}

// Relative to the terms that the slopes of gelu and silu are the sum of, which cancel near their minimum.
TYPED_TEST(VectorMath, SlopesHaveRelativeAccuracyInTheTailsToo) {
  using T = TypeParam;
  for (Activation f : {Activation::leaky_relu, Activation::elu, Activation::softplus, Activation::gelu, Activation::silu}) {
    const auto x = sweep<T>(reach<T>(f));
    for (VectorLevel level : levels()) {
      const auto got = slopes(vector_kernels<T>(level), f, x);
      double worst = 0;
      T where = 0;
      for (std::size_t i = 0; i < x.size(); i++) {
        const long double z = x[i], want = slope(f, z), s = 1 / (1 + std::exp(-z));
        const long double second = f == Activation::gelu   ? z * normal_density(z)
                                   : f == Activation::silu ? z * s / (1 + std::exp(z))
                                                           : 0;
        const double error = static_cast<double>(std::abs(got[i] - want) / (std::abs(want - second) + std::abs(second)));
        if (error > worst) worst = error, where = x[i];
      }
      EXPECT_LE(worst, tolerance::kSlope * kEpsilon<T>)
          << vector_level_name(level) << " of " << traits_of(f).name << " at " << where;
    }
  }
}

// With target 0 and z <= 0 the loss of one element is ln(1 + e^z).
template <typename T>
void expect_softplus_ulps(double low, double high, double tolerance) {
  const T zero = 0;
  const auto z = random_vector<T>(100000, low, high, 3);
  for (VectorLevel level : levels()) {
    const auto& k = vector_kernels<T>(level);
    double worst = 0;
    for (const T& x : z) {
      const double got = k.output_loss(Loss::cross_entropy, Activation::sigmoid, {&x, 1, 1}, &zero, {&zero, 1, 1});
      worst = std::max(worst, ulps(static_cast<T>(got), std::log1p(std::exp(static_cast<long double>(x)))));
    }
    EXPECT_LE(worst, tolerance) << vector_level_name(level);
  }
}

TYPED_TEST(VectorMath, SoftplusIsAccurateToTheLastPlaces) { expect_softplus_ulps<TypeParam>(-10, 0, tolerance::kSoftplusUlps); }

// Below -40 softplus is e^z itself, bit for bit.
TYPED_TEST(VectorMath, ExpIsAccurateToTheLastPlaces) {
  expect_softplus_ulps<TypeParam>(std::is_same_v<TypeParam, float> ? -87 : -708, -40, tolerance::kExpUlps);
}

template <typename T>
std::vector<T> exponentials(const VectorKernels<T>& k, std::vector<T> x) {
  k.exponentials(x.data(), x.size());
  return x;
}

TYPED_TEST(VectorMath, ExponentialsAreAccurateToTheLastPlaces) {
  using T = TypeParam;
  const auto x = sweep<T>(std::is_same_v<T, float> ? 87 : 708);
  for (VectorLevel level : levels()) {
    const auto got = exponentials(vector_kernels<T>(level), x);
    double worst = 0;
    for (std::size_t i = 0; i < x.size(); i++) worst = std::max(worst, ulps(got[i], std::exp(static_cast<long double>(x[i]))));
    EXPECT_LE(worst, tolerance::kExpUlps) << vector_level_name(level);
  }
}

TYPED_TEST(VectorMath, ExponentialsSaturateAndPassNaNOnForEveryLength) {
  using T = TypeParam;
  const T huge = std::numeric_limits<T>::max();
  const std::vector<T> x{0, -kInfinity<T>, -huge, -1000, 1000, huge, kInfinity<T>, kNaN<T>, -T(0)};
  const std::vector<T> expected{1, 0, 0, 0, kInfinity<T>, kInfinity<T>, kInfinity<T>, kNaN<T>, 1};
  for (VectorLevel level : levels()) {
    for (std::size_t n = 0; n <= 40; n++) {
      std::vector<T> some;
      for (std::size_t i = 0; i < n; i++) some.push_back(x[i % x.size()]);
      some.push_back(77);
      auto got = some;
      vector_kernels<T>(level).exponentials(got.data(), n);
      for (std::size_t i = 0; i < n; i++) {
        const T want = expected[i % x.size()];
        EXPECT_TRUE(std::isnan(want) ? std::isnan(got[i]) : got[i] == want) << i << " of " << n;
      }
      EXPECT_EQ(got[n], 77);
    }
  }
}

TYPED_TEST(VectorMath, SaturatesAtInfinityAndPassesNaNOn) {
  using T = TypeParam;
  const T infinity = kInfinity<T>, huge = std::numeric_limits<T>::max();
  for (VectorLevel level : levels()) {
    SCOPED_TRACE(vector_level_name(level));
    const auto& k = vector_kernels<T>(level);
    const std::vector<T> z{-infinity, -huge, -1000, 0, 1000, huge, infinity};
    EXPECT_EQ(applied(k, Activation::sigmoid, z), (std::vector<T>{0, 0, 0, 0.5, 1, 1, 1}));
    EXPECT_EQ(applied(k, Activation::tanh, z), (std::vector<T>{-1, -1, -1, 0, 1, 1, 1}));
    EXPECT_EQ(applied(k, Activation::relu, z), (std::vector<T>{0, 0, 0, 0, 1000, huge, infinity}));
    EXPECT_EQ(applied(k, Activation::satlin, z), (std::vector<T>{0, 0, 0, 0, 1, 1, 1}));
    EXPECT_EQ(applied(k, Activation::identity, z), z);
    EXPECT_EQ(applied(k, Activation::leaky_relu, z),
              (std::vector<T>{-infinity, -huge * T(0.01), -1000 * T(0.01), 0, 1000, huge, infinity}));
    EXPECT_EQ(applied(k, Activation::elu, z), (std::vector<T>{-1, -1, -1, 0, 1000, huge, infinity}));
    EXPECT_EQ(applied(k, Activation::softplus, {-infinity, -huge, -10000, 10000, huge, infinity}),
              (std::vector<T>{0, 0, 0, 10000, huge, infinity}));
    for (Activation f : {Activation::gelu, Activation::silu}) {
      EXPECT_EQ(applied(k, f, z), (std::vector<T>{0, 0, 0, 0, 1000, huge, infinity}));
    }
    for (Activation f : {Activation::elu, Activation::softplus, Activation::gelu, Activation::silu})
      EXPECT_EQ(slopes(k, f, {-infinity, -huge, -1000, 1000, huge, infinity}), (std::vector<T>{0, 0, 0, 1, 1, 1}));
    for (Activation f : kActivations) EXPECT_TRUE(std::isnan(applied(k, f, {kNaN<T>})[0])) << static_cast<int>(f);
  }
}

TYPED_TEST(VectorMath, TanhIsOdd) {
  using T = TypeParam;
  for (VectorLevel level : levels()) {
    const auto& k = vector_kernels<T>(level);
    const auto x = random_vector<T>(1000, -3, 3, 5);
    auto minus = x;
    for (T& v : minus) v = -v;
    const auto a = applied(k, Activation::tanh, x), b = applied(k, Activation::tanh, minus);
    for (std::size_t i = 0; i < x.size(); i++) ASSERT_EQ(a[i], -b[i]);
  }
}

TYPED_TEST(VectorMath, CrossEntropyIsFiniteForASaturatedOutput) {
  using T = TypeParam;
  for (VectorLevel level : levels()) {
    for (T z : {T(-1000), T(-200), T(200), T(1000)}) {
      for (T x : {T(0), T(1)}) {
        const T bias = 0;
        const double loss =
            vector_kernels<T>(level).output_loss(Loss::cross_entropy, Activation::sigmoid, {&z, 1, 1}, &bias, {&x, 1, 1});
        EXPECT_NEAR(loss, (z > 0) == (x > 0) ? 0 : std::abs(z), 1e-80) << z << ' ' << x;
      }
    }
  }
}

}  // namespace
}  // namespace layerwise

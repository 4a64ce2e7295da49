#include "vector_testing.h"

namespace layerwise {
namespace {

template <typename T>
class VectorUpdate : public testing::Test {};
TYPED_TEST_SUITE(VectorUpdate, Precisions);

constexpr std::size_t kSizes[] = {0, 1, 3, 15, 16, 17, 31, 33, 100, 2047, 2048, 2049, 5000};
constexpr AdamStep kAdam{0.01, 0.9, 0.999, 1e-8, 1 - 0.729, 1 - 0.997002999};

template <typename T>
struct State {
  explicit State(std::size_t n)
      : theta(random_vector<T>(n, -1, 1, 1)),
        m(random_vector<T>(n, -0.1, 0.1, 2)),
        v(random_vector<T>(n, 0, 0.01, 3)),
        g(random_vector<T>(n, -0.2, 0.2, 4)) {}
  std::vector<T> theta, m, v, g;
};

template <typename T, typename Body>
void at_all_lengths(Body&& body) {
  for (VectorLevel level : levels()) {
    for (std::size_t n : kSizes) {
      for (T decay : {T(0), T(0.003)}) {
        SCOPED_TRACE(testing::Message() << vector_level_name(level) << ' ' << n << " decay " << decay);
        body(vector_kernels<T>(level), n, decay);
      }
    }
  }
}

// The gradients used, and the sum of their squares.
template <typename T>
std::vector<long double> decayed(const State<T>& s, T decay, long double& squares) {
  std::vector<long double> g(s.g.size());
  squares = 0;
  for (std::size_t i = 0; i < g.size(); i++) {
    g[i] = s.g[i] + static_cast<long double>(decay) * s.theta[i];
    squares += g[i] * g[i];
  }
  return g;
}

TYPED_TEST(VectorUpdate, GradientDescentSteps) {
  using T = TypeParam;
  at_all_lengths<T>([](const VectorKernels<T>& k, std::size_t n, T decay) {
    const State<T> before(n);
    State<T> s = before;
    long double squares;
    const auto g = decayed(before, decay, squares);
    ASSERT_NEAR(k.gradient_descent(s.theta.data(), s.g.data(), n, decay, 0.5, true), squares,
                tolerance::kLoss * kEpsilon<T> * squares);
    for (std::size_t i = 0; i < n; i++) {
      ASSERT_NEAR(s.theta[i], before.theta[i] - 0.5 * g[i], tolerance::kElement * kEpsilon<T>) << i;
    }
    ASSERT_EQ(k.gradient_descent(s.theta.data(), s.g.data(), n, decay, 0.5, false), 0);
  });
}

TYPED_TEST(VectorUpdate, MomentumSteps) {
  using T = TypeParam;
  at_all_lengths<T>([](const VectorKernels<T>& k, std::size_t n, T decay) {
    const State<T> before(n);
    State<T> s = before;
    long double squares;
    const auto g = decayed(before, decay, squares);
    ASSERT_NEAR(k.momentum(s.theta.data(), s.m.data(), s.g.data(), n, decay, 0.5, 0.9, true), squares,
                tolerance::kLoss * kEpsilon<T> * squares);
    for (std::size_t i = 0; i < n; i++) {
      const long double velocity = 0.9 * before.m[i] + g[i];
      ASSERT_NEAR(s.m[i], velocity, tolerance::kElement * kEpsilon<T>) << i;
      ASSERT_NEAR(s.theta[i], before.theta[i] - 0.5 * velocity, tolerance::kElement * kEpsilon<T>) << i;
    }
    ASSERT_EQ(k.momentum(s.theta.data(), s.m.data(), s.g.data(), n, decay, 0.5, 0.9, false), 0);
  });
}

TYPED_TEST(VectorUpdate, AdamSteps) {
  using T = TypeParam;
  at_all_lengths<T>([](const VectorKernels<T>& k, std::size_t n, T decay) {
    const State<T> before(n);
    State<T> s = before;
    long double squares;
    const auto g = decayed(before, decay, squares);
    ASSERT_NEAR(k.adam(s.theta.data(), s.m.data(), s.v.data(), s.g.data(), n, decay, kAdam, true), squares,
                tolerance::kLoss * kEpsilon<T> * squares);
    for (std::size_t i = 0; i < n; i++) {
      const long double m = kAdam.beta1 * before.m[i] + (1 - kAdam.beta1) * g[i];
      const long double v = kAdam.beta2 * before.v[i] + (1 - kAdam.beta2) * g[i] * g[i];
      const long double step = kAdam.rate * (m / kAdam.correction1) / (std::sqrt(v / kAdam.correction2) + kAdam.epsilon);
      ASSERT_NEAR(s.m[i], m, tolerance::kElement * kEpsilon<T>) << i;
      ASSERT_NEAR(s.v[i], v, tolerance::kElement * kEpsilon<T>) << i;
      ASSERT_NEAR(s.theta[i], before.theta[i] - step, tolerance::kElement * kEpsilon<T> * (1 + std::abs(step))) << i;
    }
    ASSERT_EQ(k.adam(s.theta.data(), s.m.data(), s.v.data(), s.g.data(), n, decay, kAdam, false), 0);
  });
}

// The first step of Adam is rate * sign(g), whatever the size of g.
TYPED_TEST(VectorUpdate, AdamsFirstStepHasTheSizeOfTheRate) {
  using T = TypeParam;
  for (VectorLevel level : levels()) {
    const std::vector<T> g{T(1e-3), T(-1), T(50), T(0)};
    std::vector<T> theta(4, T(0)), m(4, T(0)), v(4, T(0));
    const AdamStep first{0.01, 0.9, 0.999, 1e-8, 1 - 0.9, 1 - 0.999};
    vector_kernels<T>(level).adam(theta.data(), m.data(), v.data(), g.data(), 4, T(0), first, false);
    // epsilon / |g| = 1e-5 for the smallest
    EXPECT_NEAR(theta[0], -0.01, 0.01 * tolerance::kAdamFirstStep);
    EXPECT_NEAR(theta[1], 0.01, 0.01 * tolerance::kAdamFirstStep);
    EXPECT_NEAR(theta[2], -0.01, 0.01 * tolerance::kAdamFirstStep);
    EXPECT_EQ(theta[3], 0);
  }
}

TYPED_TEST(VectorUpdate, NaNInTheGradientReachesParametersAndNorm) {
  using T = TypeParam;
  for (VectorLevel level : levels()) {
    State<T> s(19);
    s.g[17] = kNaN<T>;
    EXPECT_TRUE(
        std::isnan(vector_kernels<T>(level).adam(s.theta.data(), s.m.data(), s.v.data(), s.g.data(), 19, T(0.1), kAdam, true)));
    for (std::size_t i = 0; i < 19; i++) EXPECT_EQ(std::isnan(s.theta[i]), i == 17);
  }
}

// The fused step updates block by block with decay, the split one decays the whole gradient first: the bits must agree.
TYPED_TEST(VectorUpdate, BlocksAndDecayBeforehandGiveTheSameBits) {
  using T = TypeParam;
  constexpr std::size_t kN = 5003;
  const std::vector<std::size_t> cuts{0, 13, 14, 113, 2161, 4999, kN};
  for (VectorLevel level : levels()) {
    const auto& k = vector_kernels<T>(level);
    const T decay = T(0.003);
    for (int optimizer = 0; optimizer < 3; optimizer++) {
      const auto step = [&](State<T>& s, std::size_t from, std::size_t to, T lambda) {
        T *theta = s.theta.data() + from, *m = s.m.data() + from, *v = s.v.data() + from, *g = s.g.data() + from;
        if (optimizer == 0) k.gradient_descent(theta, g, to - from, lambda, 0.1, false);
        if (optimizer == 1) k.momentum(theta, m, g, to - from, lambda, 0.1, 0.9, false);
        if (optimizer == 2) k.adam(theta, m, v, g, to - from, lambda, kAdam, false);
      };
      State<T> fused(kN), split(kN);
      for (std::size_t i = 0; i + 1 < cuts.size(); i++) step(fused, cuts[i], cuts[i + 1], decay);
      k.add_decay(split.g.data(), split.theta.data(), kN, decay);
      step(split, 0, kN, 0);
      for (std::size_t i = 0; i < kN; i++) {
        ASSERT_TRUE(same_bits(fused.theta[i], split.theta[i])) << vector_level_name(level) << ' ' << optimizer << ' ' << i;
        ASSERT_TRUE(same_bits(fused.m[i], split.m[i]));
        ASSERT_TRUE(same_bits(fused.v[i], split.v[i]));
      }
    }
  }
}

TYPED_TEST(VectorUpdate, VectorOperations) {
  using T = TypeParam;
  at_all_lengths<T>([](const VectorKernels<T>& k, std::size_t n, T decay) {
    const State<T> s(n);
    const T alpha = T(0.3);
    std::vector<T> y = s.g, out(n + 1, T(-77)), difference(n + 1, T(-77)), scaled = s.g, with_decay = s.g;
    k.axpy(alpha, s.theta.data(), y.data(), n);
    k.add_scaled(s.theta.data(), alpha, s.g.data(), out.data(), n);
    k.subtract(s.theta.data(), s.g.data(), difference.data(), n);
    k.scale(alpha, scaled.data(), n);
    k.add_decay(with_decay.data(), s.theta.data(), n, decay);
    long double product = 0, size = 0;
    for (std::size_t i = 0; i < n; i++) {
      const long double x = s.theta[i], g = s.g[i];
      ASSERT_NEAR(y[i], g + alpha * x, tolerance::kElement * kEpsilon<T>);
      ASSERT_NEAR(out[i], x + alpha * g, tolerance::kElement * kEpsilon<T>);
      ASSERT_EQ(difference[i], static_cast<T>(s.theta[i] - s.g[i]));
      ASSERT_EQ(scaled[i], static_cast<T>(alpha * s.g[i]));
      ASSERT_NEAR(with_decay[i], g + decay * x, tolerance::kElement * kEpsilon<T>);
      product += x * g;
      size += std::abs(x * g);
    }
    ASSERT_EQ(out[n], T(-77));
    ASSERT_EQ(difference[n], T(-77));
    ASSERT_NEAR(k.dot(s.theta.data(), s.g.data(), n), product, tolerance::kDot * size);
  });
}

}  // namespace
}  // namespace layerwise

#pragma once

// Every tolerance of the C++ tests, each with its reason.
namespace layerwise::tolerance {

// Mean, variance and lag-1 covariance of 10^6 uniform draws: 5 standard errors of the mean, sqrt(1/12 / 10^6) = 2.9e-4; the
// others' are smaller.
inline constexpr double kUniformMoments = 1.5e-3;

// Chi-squared with 23 degrees of freedom exceeds this by chance once in 20,000 times.
inline constexpr double kChiSquared23 = 62;

// Eigenvectors, relative to n (orthogonality) and n times the largest value (residuals, values): nine epsilon. QL's errors grow
// like sqrt(n) epsilon; the matrices tested come within one epsilon.
inline constexpr double kEigen = 2e-15;

// Leading eigenvectors by subspace iteration, relative to the largest value, vectors over their gap: residuals of 1e-12 and means
// of 10 rounded to 1e-15, with room for some hundred rows.
inline constexpr double kSubspace = 1e-11;

// Minimisers found by L-BFGS: the gradient's tolerance of at most 1e-7 over a smallest curvature of 1, with room for the norm.
inline constexpr double kQuadratic = 1e-6;

// Rosenbrock's minimiser: the gradient's tolerance (1e-10, 1e-4) over the smallest curvature, 0.4; in float32 gradients near it
// carry rounding of 400 epsilon = 5e-5 as well.
inline constexpr double kRosenbrock64 = 1e-8;
inline constexpr double kRosenbrock32 = 2e-3;

// By how much an accepted step may raise the cost, relative to it: four epsilon, what L-BFGS counts as rounding.
inline constexpr double kWolfeNoise = 4 * 2.3e-16;
inline constexpr double kFloatNoise = 4 * 1.2e-7;

// Units in the last place. A sum, product or quotient after exp adds half of one, twice that where it follows a power of two.
inline constexpr double kExpUlps = 1.5;
inline constexpr double kSigmoidUlps = 2.5;
inline constexpr double kTanhUlps = 2.5;
inline constexpr double kSoftplusUlps = 3;
inline constexpr double kSiluUlps = 3.5;

// Of z P(z): Mills' ratio, a polynomial of up to 22 terms and a quotient, times a density with a rounded exponent, and products:
// some ten roundings, of half a unit each or of a whole one after a power of two.
inline constexpr double kGeluUlps = 8;

// Slopes, relative to their terms, in epsilons: as many roundings.
inline constexpr double kSlope = 8;

// In epsilons of T, on elements of size 1 to 5: some ten rounded operations of half an epsilon each.
inline constexpr double kElement = 8;

// Column sums over m rows of elements up to s in size: m additions of half an epsilon of m * s each at worst; relative to m * s *
// epsilon.
inline constexpr double kRowSum = 4;

// Sums over rows in epsilons of T, relative: lanes of T within a row or a chunk of 2048, then float64.
inline constexpr double kLoss = 32;

// Products summed in float64, relative to the sum of their sizes, which are exact in float32 and rounded once in float64.
inline constexpr double kDot = 1e-14;

// Adam's epsilon 1e-8 beside a gradient of 1e-3 changes its first step by a relative 1e-5; rounding is far below that.
inline constexpr double kAdamFirstStep = 2e-5;

// Products of matrices, relative to (k + 2) epsilon |A||B|: the worst that k rounded additions and the two scalings can do.
inline constexpr double kProduct = 1;

// Processor seconds that an idle process may use in 200 ms: sleeping threads use none; room for the sanitizers' own.
inline constexpr double kIdleSeconds = 0.05;

// The squared norm of a gradient from two blocks, in epsilons, relative: lanes of T over chunks of 2048, then float64.
inline constexpr double kNormOfParts = 32;

// Parameters of size 1 after a step of an optimizer, in epsilons a step: rounded once when stored, a few times in the step
// itself.
inline constexpr double kSteps = 4;

// |g - h| / (|g| + |h|) of a gradient in float64 against central differences in long double with a step of 1e-6: the differences
// err by 1e-12 times a third derivative, which the KL penalty makes as large as 1e3.
inline constexpr double kGradient = 1e-8;

// Costs in float64 against long double, relative to their parts: sums of up to 10^6 terms over lanes.
inline constexpr double kCost = 1e-13;

// Means, covariances and moving means in float64, relative to the largest element: some 10^3 additions.
inline constexpr double kMean = 1e-13;

// Elements of a covariance of size 1, from two passes over rows in float64 with a mean of up to 1000, whose rounding is squared.
inline constexpr double kCovariance = 1e-12;

// Outputs of size 1 of three narrow layers, in epsilons: sums of up to 67 products, and the slopes of activations, at most 1.
inline constexpr double kLayers = 64;

// Slopes of a penalty against central differences in long double with a step of 1e-10: rounding of 1e-19 over the step.
inline constexpr double kPull = 1e-8;

// Parameters and sums after ten steps whose gradients were central differences (kGradient) of size 1 with a rate of 0.3.
inline constexpr double kTrained = 1e-9;

// The KL penalty of a mean within 1e-6 of 1: its slope there is 1e6 times the weight, the rounding of the mean 1e-16.
inline constexpr double kAtEdges = 1e-9;

// Probabilities of a softmax of logits within 9, in epsilons, relative; log losses and deltas likewise, absolute. A logit and its
// distance to the largest are rounded, by half an epsilon of 9 and of 18 each, which exp makes relative; the sum adds little.
inline constexpr double kSoftmax = 32;

// How often something of probability p happens in 10^6 draws: 5 standard errors, at most 5 * 0.5 / 10^3. Covariances of such
// events err less.
inline constexpr double kNoiseRate = 2.5e-3;

// Mean, variance and covariances of 10^6 normal numbers: 5 standard errors, sqrt(2 / 10^6) for the variance, less for the others.
inline constexpr double kNormalMoments = 7.1e-3;

// Their third and fourth moments and the covariances of their squares: 5 standard errors, sqrt(96 / 10^6) for the fourth.
inline constexpr double kNormalTails = 0.049;

// |g - h| / (|g| + |h|) of one gradient found in two ways, in epsilons: sums of up to 600 terms in different orders, whose
// rounding is that of many elements and mostly cancels in the norm.
inline constexpr double kSameGradient = 4;

}  // namespace layerwise::tolerance

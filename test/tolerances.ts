/** The allowed differences between numbers that should agree, each with its reason. */
export interface Tolerance {
  readonly value: number
  readonly reason: string
}

/**
 * Every tolerance of the TypeScript tests. `relative` ones bound ‖a − b‖ / (‖a‖ + ‖b‖), or |a − b| / |b| for single numbers;
 * `absolute` ones bound |a − b|.
 */
export const tolerances = {
  gradientCheckFloat64: {
    value: 1e-8,
    reason:
      'relative; central differences with step 6e-6 · max(1, |θ|): truncation about 1e-11, rounding of a cost near 1 about 1e-11, summed over the parameters',
  },
  handComputed: {
    value: 1e-12,
    reason: 'absolute; a few float64 operations on numbers near 1, worked out by hand to at least 13 digits',
  },
  float64VsOracleCost: {
    value: 1e-12,
    reason:
      'relative; the same sums in another order: about √(number of terms) · 1.1e-16, under 1e5 terms, with room for exp and log differing in the last places',
  },
  float64VsOracleGradient: {
    value: 1e-11,
    reason:
      'relative; as the cost, through several products, where sums of both signs cancel by up to a digit',
  },
  float32VsFloat64Cost: {
    value: 1e-5,
    reason:
      'relative; activations rounded to 6e-8 each, summed in float64; ten times that for ln near 0 and 1, ten times for depth',
  },
  float32VsFloat64Gradient: {
    value: 1e-4,
    reason:
      'relative; sgemm sums of some hundred terms at 6e-8 each through two or more layers, with cancellation',
  },
  float32Activation: {
    value: 1e-6,
    reason:
      'absolute; values up to 1, one rounding of 6e-8 per product, summed over up to some hundred inputs',
  },
  float64Activation: {
    value: 4e-15,
    reason:
      'relative; by the addon and by the oracle: gelu within 8 units in the last place of 1.1e-16 to 2.2e-16 here and some roundings there, all others within 3.5',
  },
  repeatedRows: {
    value: 1e-10,
    reason:
      'relative; sums over weighted and over repeated rows differ by roundings of 1.1e-16 in every term, which a few steps of training raise by some thousand',
  },
  gradientToSee: {
    value: 1e-3,
    reason:
      'least 2-norm of a gradient that is compared: far above the errors of central differences, about 1e-11, and no accidental zero',
  },
  constraintKept: {
    value: 1e-3,
    reason:
      'absolute, of a mean activation; the method of multipliers divides the violation by 4 or more a round, from about 0.3 through 10 to 30 rounds; later rounds move it by their own step',
  },
  constraintByMinibatches: {
    value: 1e-2,
    reason:
      'absolute, of a mean activation; means of 50 rows scatter by 0.2/√50 = 0.03, multipliers average that over 40 steps and more',
  },
  constraintFar: {
    value: 0.1,
    reason: 'absolute, of a mean activation; first weights leave sigmoid means near 0.5, 0.3 from the target',
  },
  clearlyLower: {
    value: 0.9,
    reason:
      'times the cost before; training that works lowers it far more on rows with a pattern, rounding and drift far less',
  },
  sameOptimum: {
    value: 1e-6,
    reason:
      'relative; parameters from two optimizers at the minimum of a cost whose curvature is at least 0.01, where a gradient of 1e-9 leaves 1e-7',
  },
  partlyOriented: {
    value: 0.1,
    reason:
      'absolute, away from 0 and 1; a pattern made neither round nor straight must lie well inside, so that a change would show',
  },
  sparseTrained: {
    value: 1e-9,
    reason:
      'relative; some twenty steps in float64 whose gradients differ by 1e-14 at most, which optimizers enlarge by the size of a step over that of a gradient',
  },
  standardErrors: {
    value: 4,
    reason:
      'standard errors of a mean, variance or correlation of seeded random numbers: a right generator passes all but 1 seed in 16,000',
  },
  straightEdge: {
    value: 0.01,
    reason:
      'absolute; an edge that bends brightness by tanh looks a little curved to differences over one pixel',
  },
  eigenJacobi: {
    value: 1e-10,
    reason: 'relative to the largest eigenvalue; Jacobi and QL are both stable to about n · 1.1e-16 · ‖A‖',
  },
  angleOfFloat64: {
    value: 1e-14,
    reason:
      'absolute, in radians; orthonormal bases of some rows in float64, rounded by some 1.1e-16 a column',
  },
  subspaceAngle: {
    value: 1e-6,
    reason:
      'absolute, in radians; L-BFGS ends where the cost no longer changes, at 1e-16 of it, and the cost is quadratic in the angle: 1e-8 over the gap of the variances',
  },
  errorGap: {
    value: 1e-10,
    reason:
      'relative; the cost at a minimum that L-BFGS has come to within rounding, with room for flat directions',
  },
  squaredSingularValue: {
    value: 1e-6,
    reason: 'absolute, on values up to 1; as subspaceAngle, since the cost is quadratic in them too',
  },
  settledValue: {
    value: 0.01,
    reason:
      'absolute; some hundred steps of gradient descent come to a mean within 1e-3, and swing about a median by the last steps of a falling rate',
  },
  whitenedCovariance: {
    value: 1e-10,
    reason:
      'absolute; a variance w of at least 1e-5 of the largest is known to 1e-15 of that, so its whitened one to 1e-10; rows within ±10',
  },
  subspaceResidual: {
    value: 1e-11,
    reason:
      'relative to the largest eigenvalue; subspace iteration ends at residuals of 1e-12, and a mean near 1 is rounded to 1e-16 a row',
  },
  projectedNorm: {
    value: 1e-6,
    reason:
      'relative; some hundred weights scaled by one factor, each rounded to float32 by 6e-8 at most, their squares by twice that',
  },
  float64Exactly: {
    value: 0,
    reason: 'the same operations in the same order: not a bit may differ',
  },
  float32Rounding: {
    value: 1e-7,
    reason: 'absolute; values up to 1 worked out in float64 and rounded once to float32, 6e-8',
  },
  scalerRoundTrip: {
    value: 1e-14,
    reason:
      'relative to the largest of 1, |shift| and the column; four roundings of 1.1e-16 there and back, with room for ten times as many',
  },
  scalerMean: {
    value: 1e-8,
    reason:
      'absolute, mean of standardised values; a column up to 1e4 has its mean rounded by 1e-12, and a standard deviation of at least 1.8e-4 (one of 30 values off by 1/1024)',
  },
  constantColumn: {
    value: 1e-9,
    reason:
      'absolute, on the low end of a range; a constant takes 20 of the 53 bits at most from what is added to it',
  },
  singleRowFloat32: {
    value: 1e-5,
    reason:
      'relative to the largest output, or to 1; the same sums of at most 5 terms through 4 layers in another order, each rounded by 6e-8, and differences of what has been reconstructed',
  },
  singleRowFloat64: {
    value: 1e-13,
    reason: 'as singleRowFloat32, with roundings of 1.1e-16',
  },
  reloadedFloat32: {
    value: 1e-5,
    reason:
      'relative, over all values; numbers of another machine, whose float32 products of at most 5 terms through 4 layers round by some 6e-8 each',
  },
  reloadedFloat64: {
    value: 1e-12,
    reason: 'as reloadedFloat32, with roundings of 1.1e-16; vector levels differ in the last bits of exp',
  },
  besideAnOffset: {
    value: 1e-5,
    reason:
      'relative to the largest value; some ten float32 products and steps at 6e-8 each. Beside it stand two units in the last place of the offset, over the spread: means and shifts are rounded to float64',
  },
  besideAnOffsetFloat64: {
    value: 1e-11,
    reason:
      'as besideAnOffset, with roundings of 1.1e-16 that covariance and whitening raise by some thousand',
  },
  beyondFloat32: {
    value: 1e-5,
    reason:
      'relative to the largest value; float32 rows and parameters that both precisions hold, through two to four layers rounded by 6e-8 each, with cancellation by some ten',
  },
  scaledInside: {
    value: 1e-6,
    reason: 'relative to the largest value; the same float64 operations, rounded once to float32, by 6e-8',
  },
  climbed: {
    value: 1e-7,
    reason:
      'absolute, 1 − cos of the angle to the gradient; the climb ends at 1e-9, the gradient by differences is good to 1e-8, and both lengths to as much',
  },
} as const satisfies Record<string, Tolerance>

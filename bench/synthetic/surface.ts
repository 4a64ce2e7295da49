import { RowRandom } from './random.js'

/** Rows and columns of a surface. A power of two, so that places wrap around by a mask. */
export const SURFACE = 1024

/**
 * Uniform noise on [−1, 1] smoothed by a Gaussian, on a torus of {@link SURFACE} × {@link SURFACE} points. Any window of it is a smooth random
 * field, so that a million of them are had for the price of one.
 *
 * @param sigma - standard deviation of the Gaussian, in points; its weights sum to 1
 */
export function smoothSurface(seed: number, sigma: number): Float32Array {
  const random = new RowRandom(seed)
  random.begin(0)
  const noise = Float32Array.from({ length: SURFACE * SURFACE }, () => random.between(-1, 1))
  const weights = gaussian(sigma)
  return smoothed(smoothed(noise, weights, 1, SURFACE), weights, SURFACE, 1)
}

/** Up to three standard deviations to both sides. */
function gaussian(sigma: number): Float64Array {
  const reach = Math.ceil(3 * sigma)
  const weights = Float64Array.from({ length: 2 * reach + 1 }, (_, k) =>
    Math.exp(-((k - reach) ** 2) / (2 * sigma ** 2)),
  )
  const sum = weights.reduce((total, weight) => total + weight, 0)
  return weights.map((weight) => weight / sum)
}

/** Along lines whose points are `step` apart and which begin `lines` apart. */
function smoothed(from: Float32Array, weights: Float64Array, step: number, lines: number): Float32Array {
  const to = new Float32Array(from.length)
  const reach = (weights.length - 1) / 2
  // A line with so many points of its other end on both sides.
  const padded = new Float64Array(SURFACE + 2 * reach)
  for (let line = 0; line < SURFACE; line++) {
    const first = line * lines
    for (let i = 0; i < padded.length; i++) {
      padded[i] = from[first + ((i - reach) & (SURFACE - 1)) * step]!
    }
    for (let i = 0; i < SURFACE; i++) {
      let sum = 0
      for (let k = 0; k < weights.length; k++) sum += weights[k]! * padded[i + k]!
      to[first + i * step] = sum
    }
  }
  return to
}

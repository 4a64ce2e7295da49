import { Matrix } from '../../lib/index.js'
import { uniforms } from '../compression/gaussian.js'

/** A copy in which each value is, with probability `share`, replaced by an outlier: 0 or 1. */
export function withOutliers(x: Matrix, share: number, seed: number): Matrix<Float32Array> {
  const random = uniforms(seed)
  const corrupted = Float32Array.from(x.data, (value) => {
    if (random() >= share) return value * x.scale
    return random() < 0.5 ? 0 : 1
  })
  return Matrix.from(corrupted, x.rows, x.cols)
}

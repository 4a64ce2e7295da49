import type { RowMaker } from './maker.js'
import { RowRandom } from './random.js'

export interface CorrelatedOptions {
  readonly cols: number
  /** Numbers behind a row, of which all its columns are mixtures. */
  readonly factors: number
  /** Default 0. */
  readonly seed?: number
  /** `uint8`: 255 for 1. Default `float32`. */
  readonly type?: 'float32' | 'uint8'
}

/** Standard deviations of what a column has in common with others, and of what it has alone, before the logistic function. */
const COMMON = 1.5
const ALONE = 0.5

/** Rows within [0, 1] whose columns are correlated: mixtures of a few factors and noise, through a logistic function. */
export class CorrelatedRows implements RowMaker {
  readonly cols: number
  readonly #type: 'float32' | 'uint8'
  readonly #random: RowRandom
  /** A row of weights for each column, of length {@link COMMON}. */
  readonly #mixture: Float64Array
  readonly #factors: Float64Array

  constructor({ cols, factors, seed = 0, type = 'float32' }: CorrelatedOptions) {
    this.cols = cols
    this.#type = type
    this.#random = new RowRandom(seed)
    this.#factors = new Float64Array(factors)
    const random = new RowRandom(seed + 1)
    random.begin(0)
    this.#mixture = Float64Array.from({ length: cols * factors }, () => random.normal())
    for (let column = 0; column < cols; column++) {
      const weights = this.#mixture.subarray(column * factors, (column + 1) * factors)
      const length = Math.hypot(...weights)
      weights.forEach((weight, k) => {
        weights[k] = (COMMON * weight) / length
      })
    }
  }

  make(from: number, to: number): Uint8Array | Float32Array {
    const count = (to - from) * this.cols
    const rows = this.#type === 'uint8' ? new Uint8Array(count) : new Float32Array(count)
    for (let number = from; number < to; number++) this.#fill(number, rows, (number - from) * this.cols)
    return rows
  }

  #fill(number: number, rows: Uint8Array | Float32Array, at: number): void {
    const random = this.#random
    const factors = this.#factors
    const mixture = this.#mixture
    random.begin(number)
    for (let k = 0; k < factors.length; k++) factors[k] = random.normal()
    const whole = this.#type === 'uint8' ? 255 : 1
    for (let column = 0, weight = 0; column < this.cols; column++) {
      let sum = random.between(-ALONE, ALONE) * Math.sqrt(3)
      for (let k = 0; k < factors.length; k++) sum += mixture[weight++]! * factors[k]!
      const value = whole / (1 + Math.exp(-sum))
      rows[at + column] = whole === 1 ? value : Math.round(value)
    }
  }
}

/** For threads that make rows. */
export function maker(options: CorrelatedOptions): RowMaker {
  return new CorrelatedRows(options)
}

import { Matrix } from '../lib/index.js'
import { seeded } from './oracle/points.js'

/** Normal numbers of mean 0 and variance 1, always the same. */
export function normals(seed: number): () => number {
  const random = seeded(seed)
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random())
}

/** Columns that follow from a few hidden causes, in units of very different size. */
export class DependentColumns {
  readonly #loads: number[][]
  readonly #normal: () => number
  readonly cols: number

  constructor(cols: number, causes: number, seed: number) {
    this.cols = cols
    this.#normal = normals(seed)
    this.#loads = Array.from({ length: cols }, () => Array.from({ length: causes }, this.#normal))
  }

  /** A row, as an array. */
  row(): number[] {
    const causes = this.#loads[0]!.map(() => this.#normal())
    return this.#loads.map((load, j) => {
      const sum = load.reduce((total, weight, k) => total + weight * causes[k]!, 0)
      return 1000 * j + 10 ** (j % 3) * (sum + 0.3 * this.#normal())
    })
  }

  rows(count: number): Matrix<Float64Array> {
    return Matrix.fromRows(Array.from({ length: count }, () => this.row()))
  }
}

/** Standard deviation of each column. */
export function spreadsOf(rows: Matrix): number[] {
  return Array.from({ length: rows.cols }, (_, j) => {
    const column = Array.from({ length: rows.rows }, (_, i) => rows.at(i, j))
    const mean = column.reduce((sum, value) => sum + value, 0) / column.length
    return Math.sqrt(column.reduce((sum, value) => sum + (value - mean) ** 2, 0) / column.length)
  })
}

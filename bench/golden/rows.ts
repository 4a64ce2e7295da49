import { Matrix } from '../../lib/index.js'
import { seeded } from '../../test/oracle/points.js'

/** The kind of rows of a case. */
export type RowKind = 'dense' | 'zeros' | 'bytes' | 'byteZeros' | 'signed'

/**
 * Rows made by whole-number arithmetic alone, so that they are the same on every machine.
 *
 * - `dense`: float32, uniform on [0.05, 0.95)
 * - `signed`: float64, uniform on [−2, 2)
 * - `zeros`: as `dense`, but only in one band of a fifth of the columns, whose position depends on the row; 0 elsewhere
 * - `bytes`, `byteZeros`: the same two in bytes, with scale 1/255
 */
export function makeRows(kind: RowKind, rows: number, cols: number, seed = 1): Matrix {
  const random = seeded(seed)
  const value = (i: number, j: number): number => {
    const drawn = random()
    if (kind === 'signed') return 4 * drawn - 2
    const band = Math.floor((i % 4) * (cols / 5))
    const inside = j >= band && j < band + cols / 5
    return inside || kind === 'dense' || kind === 'bytes' ? 0.05 + 0.9 * drawn : 0
  }
  const bytes = kind === 'bytes' || kind === 'byteZeros'
  const length = rows * cols
  const data = bytes
    ? new Uint8Array(length)
    : kind === 'signed'
      ? new Float64Array(length)
      : new Float32Array(length)
  for (let i = 0; i < rows; i++) {
    for (let j = 0; j < cols; j++) data[i * cols + j] = (bytes ? 255 : 1) * value(i, j)
  }
  return bytes
    ? Matrix.from(data as Uint8Array, rows, cols, { scale: 1 / 255 })
    : Matrix.from(data as Float32Array | Float64Array, rows, cols)
}

/** Classes 0, 1 and 2, drawn. */
export function makeLabels(rows: number): Uint8Array {
  const random = seeded(7)
  return Uint8Array.from({ length: rows }, () => Math.floor(3 * random()))
}

import { LayerwiseError } from '../base/errors.js'
import { allocate, type PlainFloat64Array } from '../base/precision.js'
import type { Matrix } from '../data/matrix.js'
import { rowSlices } from '../data/slices.js'

/** The 2-norm of each row. */
export async function rowNorms(argument: string, z: Matrix<PlainFloat64Array>): Promise<PlainFloat64Array> {
  const norms = allocate('float64', z.rows, 'distances')
  for await (const [from, to] of rowSlices(z.rows, z.cols)) {
    for (let i = from; i < to; i++) {
      let sum = 0
      for (let k = i * z.cols; k < (i + 1) * z.cols; k++) sum += z.data[k]! ** 2
      if (!Number.isFinite(sum)) throw overflowError(argument, i)
      norms[i] = Math.sqrt(sum)
    }
  }
  return norms
}

function overflowError(argument: string, row: number): LayerwiseError {
  const expected = 'rows whose distance can be computed'
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received one that overflows: row ${row}`,
    {
      argument,
      expected,
      row,
    },
  )
}

import { allocate, type FloatArray, type Precision } from '../base/precision.js'
import { Matrix } from './matrix.js'
import { turn } from './slices.js'

/**
 * Matrices of `cols` columns as one, in their order; a single one as it is. A copy of several, a part between two turns of the event loop.
 *
 * @param what - what they are, for messages
 * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room
 */
export async function joinedRows<P extends Precision>(
  parts: readonly Matrix<FloatArray<P>>[],
  precision: P,
  cols: number,
  what: string,
): Promise<Matrix<FloatArray<P>>> {
  const [only] = parts
  if (parts.length === 1 && only !== undefined) return only
  const rows = parts.reduce((sum, part) => sum + part.rows, 0)
  const data = allocate<Precision>(precision, rows * cols, what) as FloatArray<P>
  let at = 0
  for (const part of parts) {
    data.set(part.data, at)
    at += part.data.length
    await turn()
  }
  return Matrix.from(data, rows, cols)
}

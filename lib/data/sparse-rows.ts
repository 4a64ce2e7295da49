import { argumentError, ownCopy, shapeError } from '../base/check.js'
import { precisionOf } from '../base/precision.js'
import { type NativeRows, type NativeScaling, nativeScaling } from '../native/binding.js'
import type { SparseMatrix } from './sparse-matrix.js'
import { allocateLike, plainArray } from './storage.js'

/**
 * Sparse rows for the addon, without a copy.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE` for another width; `ERR_ARGUMENT` for memory that is shared, resizable or detached, and for a
 *   scaling that does not keep zeros
 */
export function sparseRows(
  argument: string,
  x: SparseMatrix,
  width: number,
  scaling: NativeScaling | undefined,
): NativeRows {
  const { rows, cols } = x
  if (cols !== width) throw shapeError(argument, `${width} columns`, cols)
  const data = plainArray(`${argument}.values`, x.values)
  const indices = plainArray(`${argument}.indices`, x.indices)
  const indptr = plainArray(`${argument}.indptr`, x.indptr)
  const taken = scaling && nativeScaling(scaling)
  if (taken) checkKeepsZeros(argument, taken, width)
  const sparse = ownCopy({ indptr, indices, stored: data.length })
  const type = precisionOf(data)
  return ownCopy({ data, type, rows, cols, scale: 1, sparse, ...(taken && { scaling: taken }) })
}

/** A copy of sparse rows, whose later changes have no effect. */
export function copySparse(argument: string, rows: NativeRows): NativeRows {
  const { data, sparse } = rows
  const { indptr, indices, stored } = sparse!
  const values = allocateLike(data, stored, argument)
  values.set(data)
  return ownCopy({
    ...rows,
    data: values,
    sparse: ownCopy({ indptr: indptr.slice(), indices: indices.slice(), stored }),
  })
}

/** Bytes of the arrays of sparse rows. */
export function sparseBytes({ data, sparse }: NativeRows): number {
  return data.byteLength + sparse!.indices.byteLength + sparse!.indptr.byteLength
}

/**
 * Refuses a scaling under which a zero is no longer a zero: then every number would have to be stored.
 */
function checkKeepsZeros(argument: string, scaling: NativeScaling, width: number): void {
  const { shift, centre, clipped: [low, high] = [-Infinity, Infinity] } = scaling
  if (shift.length !== width) throw shapeError('scaling', `a scaler fitted on ${width} columns`, shift.length)
  const moved = shift.findIndex((value, j) => value !== 0 || (centre?.[j] ?? 0) !== 0)
  if (moved < 0 && low <= 0 && high >= 0) return
  const place = moved < 0 ? '' : `, as column ${moved}`
  throw argumentError(
    argument,
    `dense rows, since the scaling moves zeros${place} (sparse rows can be scaled but not centred: ` +
      'use StandardScaler({ center: false }), or no scaler; or x.toMatrix() for a small matrix)',
    'a SparseMatrix',
  )
}

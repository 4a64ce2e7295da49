import { createHash } from 'node:crypto'
import { ownCopy } from '../base/check.js'
import { transferredError } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import type { StorageType } from '../base/storage-type.js'
import { type Between, turn } from '../data/slices.js'
import { isAttached, type NativeRows } from '../native/binding.js'

/** Arrays of at most this many bytes are read whole; of others as many. 4 MiB. */
const READ = 2 ** 22

/** Of a larger array so many pieces are read, evenly spread, the first and the last among them. */
const PIECES = 256

/** Bytes that are hashed between two turns of the event loop. */
const SLICE = 2 ** 18

/** What rows, labels and weights are known again by. Texts are SHA-256 in hex. */
export interface Fingerprint {
  readonly rows: number
  readonly cols: number
  readonly type: StorageType
  readonly scale: number
  readonly numbers: string
  /** Of sparse rows: where their numbers stand. */
  readonly places?: string
  readonly labels?: string
  readonly rowWeights?: string
}

/** The fingerprints of a training's data. */
export interface Fingerprints {
  readonly x: Fingerprint
  readonly validation?: Fingerprint
}

/**
 * Reads at most 4 MiB of each array.
 *
 * @param between - called between slices; what it throws ends the reading
 * @throws {@link LayerwiseError} `ERR_STATE` if a buffer was transferred
 */
export async function fingerprintOf(
  argument: string,
  given: NativeRows,
  between: Between,
): Promise<Fingerprint> {
  const { rows, cols, type, scale, data, sparse, labels, weights } = given
  const digest = async (arrays: readonly ArrayBufferView[]) => {
    const hash = createHash('sha256')
    let hashed = 0
    for (const bytes of arrays.flatMap(sampled)) {
      if (hashed >= SLICE) {
        await turn()
        between()
        hashed = 0
      }
      if (!isAttached(given)) throw transferredError(argument)
      hash.update(bytes)
      hashed += bytes.length
    }
    return hash.digest('hex')
  }
  if (!isAttached(given)) throw transferredError(argument)
  return ownCopy({
    ...{ rows, cols, type, scale, numbers: await digest([data]) },
    ...(sparse && { places: await digest([sparse.indptr, sparse.indices]) }),
    ...(labels && { labels: await digest([labels]) }),
    ...(weights && { rowWeights: await digest([weights]) }),
  })
}

/** The bytes of an array that are hashed, in pieces. */
function sampled({ buffer, byteOffset, byteLength }: ArrayBufferView): Uint8Array[] {
  const piece = READ / PIECES
  const whole = byteLength <= READ
  const count = whole ? Math.ceil(byteLength / piece) : PIECES
  return Array.from({ length: count }, (_, k) => {
    const at = whole ? k * piece : Math.floor((k * (byteLength - piece)) / (PIECES - 1))
    return new Uint8Array(buffer, byteOffset + at, Math.min(piece, byteLength - at))
  })
}

/**
 * Refuses data that are not those of the training.
 *
 * @param known - of the training
 * @throws {@link LayerwiseError} `ERR_STATE` naming what differs: rows, labels or weights
 */
export function checkFingerprints(known: Fingerprints, given: Fingerprints): void {
  check('x', '', known.x, given.x)
  if (known.validation && given.validation) {
    const { labels, rowWeights } = known.validation
    const alone = labels === undefined && rowWeights === undefined
    check(alone ? 'validation' : 'validation.x', 'validation.', known.validation, given.validation)
  }
}

function check(x: string, within: string, known: Fingerprint, given: Fingerprint): void {
  const [wanted, received] = [kindOf(known), kindOf(given)]
  if (wanted !== received) throw otherData(x, `the rows of this training, ${wanted}`, received)
  if (known.numbers !== given.numbers || known.places !== given.places) {
    throw otherData(x, 'the rows of this training', 'rows with other numbers')
  }
  for (const part of ['labels', 'rowWeights'] as const) {
    if (known[part] === given[part]) continue
    const argument = `${within}${part}`
    throw otherData(argument, `the ${part} of this training`, given[part] === undefined ? 'none' : 'others')
  }
}

function kindOf({ rows, cols, type, scale, places }: Fingerprint): string {
  const times = scale === 1 ? '' : ` times ${scale}`
  return `${rows} × ${cols} numbers in ${type}${times}${places === undefined ? '' : ', sparse'}`
}

function otherData(argument: string, expected: string, received: string): LayerwiseError {
  return new LayerwiseError('ERR_STATE', `${argument}: expected ${expected}, received ${received}`, {
    ...{ argument, expected, received },
  })
}

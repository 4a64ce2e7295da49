import { createHash } from 'node:crypto'
import { ownCopy } from '../base/check.js'
import { transferredError } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import type { StorageType } from '../base/storage-type.js'
import { readPart } from '../data/file-rows.js'
import { type Between, turn } from '../data/slices.js'
import { isAttached, type NativeRows, type NativeSegment } from '../native/binding.js'

/** Arrays of at most this many bytes are read whole; of others as many. 4 MiB. */
const READ = 2 ** 22

/** Of a larger array so many pieces are read, evenly spread, the first and the last among them. */
const PIECES = 256

/** Bytes in memory that are hashed between two turns of the event loop. */
const SLICE = 2 ** 18

/** What rows, labels and weights are known again by. Texts are SHA-256 in hex. */
export interface Fingerprint {
  readonly rows: number
  readonly cols: number
  readonly type: StorageType
  readonly scale: number
  /** Whether they are in files: their order is then another. */
  readonly inFiles: boolean
  readonly numbers: string
  /** Of sparse rows: where their numbers stand; of some rows of files: which. */
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
 * Reads at most 4 MiB of each array, and of the numbers of files, wherever these are.
 *
 * @param between - called between pieces; what it throws ends the reading
 * @throws {@link LayerwiseError} `ERR_STATE` if a buffer was transferred, `ERR_FILE` if a file is gone, was changed, or cannot be read
 */
export async function fingerprintOf(
  argument: string,
  given: NativeRows,
  between: Between,
): Promise<Fingerprint> {
  const { rows, cols, type, scale, data, sparse, files, labels, weights } = given
  const digest = async (pieces: AsyncIterable<Uint8Array>) => {
    const hash = createHash('sha256')
    for await (const bytes of pieces) {
      between()
      if (!isAttached(given)) throw transferredError(argument)
      hash.update(bytes)
    }
    return hash.digest('hex')
  }
  if (!isAttached(given)) throw transferredError(argument)
  const rowBytes = cols * data.BYTES_PER_ELEMENT
  return ownCopy({
    ...{ rows, cols, type, scale, inFiles: files !== undefined },
    numbers: await digest(files ? piecesOfFiles(files.segments, rowBytes) : piecesOf(data)),
    ...(files?.ranges && { places: await digest(piecesOf(files.ranges)) }),
    ...(sparse && { places: await digest(piecesOf(sparse.indptr, sparse.indices)) }),
    ...(labels && { labels: await digest(piecesOf(labels)) }),
    ...(weights && { rowWeights: await digest(piecesOf(weights)) }),
  })
}

/** Where so many bytes are read: all of them, or pieces evenly spread. */
function* placesIn(bytes: number): Generator<readonly [begin: number, length: number], void> {
  const piece = READ / PIECES
  const whole = bytes <= READ
  const count = whole ? Math.ceil(bytes / piece) : PIECES
  for (let k = 0; k < count; k++) {
    const at = whole ? k * piece : Math.floor((k * (bytes - piece)) / (PIECES - 1))
    yield [at, Math.min(piece, bytes - at)]
  }
}

/** Pieces of arrays in memory; other events are served between some of them. */
async function* piecesOf(...arrays: readonly ArrayBufferView[]): AsyncGenerator<Uint8Array, void> {
  let since = 0
  for (const { buffer, byteOffset, byteLength } of arrays) {
    for (const [at, length] of placesIn(byteLength)) {
      yield new Uint8Array(buffer, byteOffset + at, length)
      since += length
      if (since >= SLICE) {
        await turn()
        since = 0
      }
    }
  }
}

/** Pieces of the numbers of files, read on Node's threads. */
async function* piecesOfFiles(
  segments: readonly NativeSegment[],
  rowBytes: number,
): AsyncGenerator<Uint8Array, void> {
  const bytes = segments.reduce((sum, { rows }) => sum + rows * rowBytes, 0)
  let [index, before] = [0, 0]
  for (const [at, length] of placesIn(bytes)) {
    const piece = new Uint8Array(length)
    for (let done = 0; done < length; ) {
      const segment = segments[index]!
      const own = segment.rows * rowBytes
      const from = at + done - before
      if (from >= own) {
        before += own
        index++
        continue
      }
      const part = piece.subarray(done, Math.min(length, done + own - from))
      await readPart(segment, from, part)
      done += part.length
    }
    yield piece
  }
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

function kindOf({ rows, cols, type, scale, inFiles }: Fingerprint): string {
  const times = scale === 1 ? '' : ` times ${scale}`
  return `${rows} × ${cols} numbers in ${type}${times}${inFiles ? ', in files' : ''}`
}

function otherData(argument: string, expected: string, received: string): LayerwiseError {
  return new LayerwiseError('ERR_STATE', `${argument}: expected ${expected}, received ${received}`, {
    ...{ argument, expected, received },
  })
}

import { STORAGE_TYPES } from '../../lib/base/storage-type.js'
import { manifestFrom, manifestText } from '../../lib/data/dataset/manifest.js'
import { readLayout } from '../../lib/data/dataset/row-file.js'
import { LONGEST_IDX_HEADER, readIdxHeader } from '../../lib/data/idx.js'
import { npyFrom } from '../../lib/data/npy.js'
import { type ByteSource, readStart } from '../../lib/data/read-file.js'
import { safetensorsFrom } from '../../lib/data/safetensors.js'
import { LayerwiseError } from '../../lib/index.js'
import { checkpointFrom } from '../../lib/models/resume.js'
import { strictJson } from './json-target.js'
import { must } from './proof.js'
import { READERS } from './readers.js'
import { csvInPieces, jsonLinesInPieces } from './table-targets.js'
import type { Target } from './target.js'

const inMemory = (bytes: Uint8Array): ByteSource => ({
  name: 'the input',
  size: bytes.length,
  read: async (target, offset, length, position) => {
    const part = bytes.subarray(position, position + length)
    target.set(part, offset)
    return part.length
  },
})

/** What is read as rows in place must lie within the file. Returns what lies there; undefined if it is no file of rows. */
async function rowsIn(bytes: Buffer): Promise<{ rows: number; cols: number; numbers: Buffer } | undefined> {
  const layout = await readLayout(inMemory(bytes), {}).catch((error: unknown) => {
    if (!(error instanceof LayerwiseError && error.code === 'ERR_FORMAT')) throw error
    return undefined
  })
  if (layout === undefined) return undefined
  const { rows, cols, type, offset } = layout
  const end = offset + rows * cols * STORAGE_TYPES[type].bytes
  must(end <= bytes.length, `rows end at ${end} of ${bytes.length} bytes`)
  return { rows, cols, numbers: bytes.subarray(offset, end) }
}

/** A reader whose files are read from memory. */
function ofReader(name: string, read?: (bytes: Buffer) => Promise<void>): Target {
  const { good: seeds, mutate, codes, needs, read: own } = READERS[name]!
  return { seeds, mutate, read: read ?? ((bytes) => own(bytes, '')), codes, needs }
}

/** All targets, by name. */
export const TARGETS: Readonly<Record<string, Target>> = {
  npy: ofReader('npy', async (bytes) => {
    const matrix = await npyFrom(inMemory(bytes))
    const { buffer, byteOffset, byteLength } = matrix.data
    must(matrix.data.length === matrix.rows * matrix.cols, `${matrix.data.length} numbers`)
    const found = await rowsIn(bytes)
    must(found?.rows === matrix.rows && found.cols === matrix.cols, 'as a Dataset it has another shape')
    must(found.numbers.equals(Buffer.from(buffer, byteOffset, byteLength)), 'it has other numbers')
  }),
  IDX: ofReader('IDX', async (input) => {
    const source = inMemory(input)
    const { length, bytes } = readIdxHeader(source, await readStart(source, LONGEST_IDX_HEADER))
    must(length + bytes === input.length, `${bytes} bytes follow a header of ${length}`)
    await rowsIn(input)
  }),
  safetensors: ofReader('safetensors', async (bytes) => {
    await rowsIn(bytes)
    const { tensors } = await safetensorsFrom(inMemory(bytes))
    for (const { data, shape } of tensors.values())
      must(data.length === shape.reduce((product, size) => product * size, 1), `${data.length} numbers`)
  }),
  'dataset.json': ofReader('dataset.json', async (input) => {
    const text = manifestText((await manifestFrom(inMemory(input))).manifest)
    const again = manifestText((await manifestFrom(inMemory(Buffer.from(text)))).manifest)
    must(text === again, `it is another when it is read again: ${text}`)
  }),
  model: ofReader('model'),
  detector: ofReader('detector'),
  checkpoint: ofReader('checkpoint', async (bytes) => {
    const { model, interrupted } = await checkpointFrom(inMemory(bytes))
    must(model.parameters().every(Number.isFinite), 'a parameter is not finite')
    must(interrupted.histories.length >= interrupted.header.phases.length, 'a history is missing')
  }),
  scaler: ofReader('scaler'),
  encoder: ofReader('encoder'),
  JSON: strictJson,
  CSV: csvInPieces,
  'JSON lines': jsonLinesInPieces,
  Arrow: ofReader('Arrow'),
}

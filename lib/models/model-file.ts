import { show } from '../check.js'
import { checkPath, formatError } from '../data/read-file.js'
import { readSafetensors, type Safetensors, type TensorEntry, writeSafetensors } from '../data/safetensors.js'
import type { ScalerJSON } from '../data/scaler.js'
import { parseStrictJson } from '../data/strict-json.js'
import { LayerwiseError } from '../errors.js'
import type { NativeLayer } from '../native/binding.js'
import { allocate, type FloatArray, type Precision } from '../precision.js'
import { packageVersion } from '../runtime.js'
import { type Layer, parameterOffsets } from './network.js'

/** Raised when a file's meaning changes; every version up to this one is read. */
const FORMAT = 1

/** The one entry of a file's metadata, a JSON object. */
const ENTRY = 'layerwise'

/** The core counts fits in 32 bits; one more must fit. */
const MOST_FITS = 2 ** 31 - 2

const FIELDS = ['format', 'class', 'version', 'options', 'scaler', 'fits']

/** What a model's file says, as it stands there: checked in form, not in meaning. */
export interface ModelFile {
  /** The file's name, for messages. */
  readonly name: string
  readonly class: string
  readonly options: Record<string, unknown>
  /** The scaler as JSON, or null. */
  readonly scaler: unknown
  readonly fits: number
  /** Its arrays, not yet read. */
  readonly entries: readonly TensorEntry[]
}

/** The arrays of a file, by name. */
export type Tensors = Safetensors['tensors']

/** What a model says of itself when it is saved. */
export interface ModelDescription {
  readonly class: string
  readonly options: object
  readonly scaler: ScalerJSON | null
  readonly fits: number
  readonly layers: readonly Layer[]
}

/** Writes layers as tensors `layers.0.weights` [outputs, inputs], `layers.0.biases` [outputs], …, and the rest as metadata. */
export async function writeModel(path: string | URL, model: ModelDescription): Promise<void> {
  const { layers, class: name, options, scaler, fits } = model
  const tensors = layers.flatMap(({ inputs, outputs, weights, biases }, index) => [
    { name: `layers.${index}.weights`, shape: [outputs, inputs], data: weights.data },
    { name: `layers.${index}.biases`, shape: [outputs], data: biases },
  ])
  const version = packageVersion()
  const entry = JSON.stringify({ format: FORMAT, class: name, version, options, scaler, fits })
  await writeSafetensors(path, tensors, { [ENTRY]: entry })
}

/**
 * Reads a model's file: what it says of itself is checked before memory is taken for its arrays.
 *
 * @param restorer - checks the rest of what the file says, and returns what makes the model of its arrays
 * @param expected - the class it must hold; any if undefined
 * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is not ours, is damaged, of a newer format, or of another class
 */
export async function readModel<M>(
  path: string | URL,
  restorer: (file: ModelFile) => (tensors: Tensors) => M,
  expected?: string,
): Promise<M> {
  const name = checkPath('path', path)
  let restore: ((tensors: Tensors) => M) | undefined
  const { tensors } = await readSafetensors(path, (entries, metadata) => {
    restore = restorer(describe(name, entries, metadata, expected))
  })
  return restore!(tensors)
}

function describe(
  name: string,
  entries: readonly TensorEntry[],
  metadata: Safetensors['metadata'],
  expected: string | undefined,
): ModelFile {
  const text = metadata[ENTRY]
  if (text === undefined) {
    throw formatError(name, `it was not saved by layerwise: its metadata has no entry '${ENTRY}'`)
  }
  const entry = parseEntry(name, text)
  if (entry.format !== FORMAT) {
    throw formatError(
      name,
      `its format is ${show(entry.format)}; this version of layerwise reads format ${FORMAT}`,
    )
  }
  const { class: kind, options, scaler, fits } = entry
  if (typeof kind !== 'string') throw formatError(name, `its class is ${show(kind)}`)
  if (expected !== undefined && kind !== expected) {
    throw formatError(
      name,
      `it holds a model of class ${show(kind)}, not a ${expected}; loadModel reads any class`,
    )
  }
  const keys = Object.keys(entry)
  if (keys.length !== FIELDS.length || !FIELDS.every((field) => keys.includes(field))) {
    throw formatError(name, `its metadata has the fields ${keys.join(', ')} instead of ${FIELDS.join(', ')}`)
  }
  if (!isRecord(options)) throw formatError(name, `its options are ${show(options)}`)
  if (typeof fits !== 'number' || !Number.isInteger(fits) || fits < 0 || fits > MOST_FITS) {
    throw formatError(name, `its fits are ${show(fits)} instead of a whole number from 0 to ${MOST_FITS}`)
  }
  return { name, class: kind, options, scaler, fits, entries }
}

/**
 * Whether the file's arrays are just those of the layers, in the model's precision.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` if they are not
 */
export function checkEntries(
  { name, entries }: ModelFile,
  layers: readonly NativeLayer[],
  precision: Precision,
): void {
  const found = new Map(entries.map((entry) => [entry.name, entry]))
  const wanted = tensorsOf(layers)
  for (const { key, shape } of wanted) {
    const entry = found.get(key)
    if (entry === undefined) throw formatError(name, `it has no tensor '${key}'`)
    if (entry.shape.join() !== shape.join()) {
      throw formatError(
        name,
        `tensor '${key}' is [${entry.shape.slice(0, 8).join(', ')}] instead of [${shape.join(', ')}]`,
      )
    }
    if (entry.type !== (precision === 'float64' ? 'F64' : 'F32')) {
      throw formatError(name, `tensor '${key}' is not ${precision}`)
    }
  }
  if (found.size !== wanted.length) {
    throw formatError(name, `it has ${found.size} tensors instead of ${wanted.length}`)
  }
}

/** The flat parameters, from arrays that {@link checkEntries} found right. */
export function flatParameters<P extends Precision>(
  tensors: Tensors,
  layers: readonly NativeLayer[],
  precision: P,
): FloatArray<P> {
  const parameters = allocate(precision, parameterOffsets(layers).at(-1)!, 'parameters')
  let offset = 0
  for (const { key } of tensorsOf(layers)) {
    const { data } = tensors.get(key)!
    parameters.set(data, offset)
    offset += data.length
  }
  return parameters
}

function tensorsOf(layers: readonly NativeLayer[]): { key: string; shape: number[] }[] {
  return layers.flatMap(({ inputs, outputs }, index) => [
    { key: `layers.${index}.weights`, shape: [outputs, inputs] },
    { key: `layers.${index}.biases`, shape: [outputs] },
  ])
}

/** Runs checks written for callers on what a file says: whatever they refuse is the file's fault, `ERR_FORMAT` with the refusal as cause. */
export function refuseAs<T>({ name }: ModelFile, check: () => T): T {
  try {
    return check()
  } catch (error) {
    const ours = error instanceof LayerwiseError && error.code !== 'ERR_MEMORY' && error.code !== 'ERR_LOAD'
    throw ours ? formatError(name, error.message, error) : error
  }
}

function parseEntry(name: string, text: string): Record<string, unknown> {
  let entry: unknown
  try {
    entry = parseStrictJson(text, 3)
  } catch (error) {
    throw formatError(name, `its metadata '${ENTRY}' is not JSON: ${(error as Error).message}`, error)
  }
  if (!isRecord(entry)) throw formatError(name, `its metadata '${ENTRY}' is ${show(entry)}`)
  return entry
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

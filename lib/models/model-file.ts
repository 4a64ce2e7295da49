import { ownCopy } from '../base/check.js'
import { type ErrorCode, LayerwiseError } from '../base/errors.js'
import type { PlainUint8Array } from '../base/precision.js'
import { show } from '../base/show.js'
import { version } from '../base/version.js'
import { CHECKPOINT_ENTRY } from '../checkpoint/checkpoint-file.js'
import { bytesSource, joinBytes } from '../data/bytes.js'
import { type ByteSource, formatError, withFile } from '../data/read-file.js'
import {
  type Places,
  type Safetensors,
  safetensorsFrom,
  safetensorsParts,
  type Tensor,
  type TensorEntry,
} from '../data/safetensors.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import { firstNotFinite } from '../data/slices.js'
import { parseStrictJson } from '../data/strict-json.js'
import { writeFileWhole } from '../data/write-file.js'
import { type ModelMetadata, metadataFromText } from './metadata.js'
import { NUMBERED_FITS } from './network.js'
import { scalerTensors, storedScaler } from './stored-scaler.js'

/** Raised when a file's meaning changes; every version from 1, that of 0.1.0, up to this one is read. */
const FORMAT = 2

/** The entry of a file's metadata that describes the model, a JSON object. */
const ENTRY = 'layerwise'

/** The entry with the user's own metadata, a JSON object; absent if there is none. */
const OWN_ENTRY = 'metadata'

/** Deepest nesting in it: options, layers, a layer, its sparsity, its target; the encoder of a table, its columns, one of them, what it holds. */
const DEPTH = 8

/** Most names in it: those of a table of 10,000 columns, with a dozen for each. */
const NAMES = 150_000

const FIELDS = ['format', 'class', 'version', 'options', 'scaler', 'fits']

/** The description in a model's file: checked in form, not in meaning. */
export interface ModelFile {
  /** The file's name, for messages. */
  readonly name: string
  readonly class: string
  readonly options: Record<string, unknown>
  /** The model's scaler; its numbers are available after the arrays are read. */
  readonly scaler: ModelScaler | undefined
  readonly fits: number
  /** The fields that only its class has. */
  readonly more: Readonly<Record<string, unknown>>
  /** Its arrays without those of the scaler, not yet read. */
  readonly entries: readonly TensorEntry[]
}

/** The arrays of a file, by name. */
export type Tensors = Safetensors['tensors']

/** The description of a model when it is saved. */
export interface ModelDescription extends ModelContent {
  readonly class: string
  readonly options: object
  readonly metadata: ModelMetadata | undefined
}

/** The trained state of a model. */
export interface ModelContent {
  readonly scaler: ModelScaler | undefined
  readonly fits: number
  /** The fields that only its class has. */
  readonly more?: Readonly<Record<string, unknown>>
  readonly tensors: readonly Tensor[]
}

/** How a model is restored from a file's arrays. */
export interface Restoring<M> {
  /** Existing arrays to fill, by name. Default: new ones. */
  readonly places?: Places
  /** Creates the model, after the arrays are read and all their numbers are known to be finite. Its errors are errors of the file. */
  readonly make: (tensors: Tensors) => M | Promise<M>
}

/** A restored model, which receives the user's metadata of its file. */
interface Restored {
  metadata: ModelMetadata | undefined
}

/** How a class reads its models. */
export interface Restorer<M extends Restored> {
  readonly class: string
  /** The fields that only this class has. */
  readonly fields?: readonly string[]
  /** Checks the description in a file, before any array is read. */
  readonly restore: (file: ModelFile) => Restoring<M>
}

/** Writes a model as one file, completely or not at all. */
export async function writeModel(path: string | URL, model: ModelDescription): Promise<void> {
  await writeFileWhole(path, modelParts(model))
}

/** The bytes of that file. */
export async function modelBytes(model: ModelDescription): Promise<PlainUint8Array> {
  return joinBytes('bytes', modelParts(model))
}

/** A model's arrays as tensors, and the rest as metadata. */
export function modelContents(model: ModelDescription): {
  readonly metadata: Record<string, string>
  readonly tensors: Tensor[]
} {
  const { tensors, class: name, options, scaler, fits, more, metadata } = model
  const said = { class: name, version, options, scaler: scaler?.kindOf() ?? null, fits, ...more }
  const own = metadata && { [OWN_ENTRY]: JSON.stringify(metadata) }
  return {
    metadata: { [ENTRY]: JSON.stringify({ format: FORMAT, ...said }), ...own },
    tensors: [...tensors, ...scalerTensors(scaler)],
  }
}

function modelParts(model: ModelDescription): Uint8Array[] {
  const { metadata, tensors } = modelContents(model)
  return safetensorsParts(tensors, metadata)
}

/**
 * Reads a model's file: its description is checked before memory for its arrays is allocated.
 *
 * @param restorers - one for each class it may contain
 * @throws {@link LayerwiseError} `ERR_FORMAT` for a file that is not ours, is damaged, of a newer format, or of another class
 */
export async function readModel<M extends Restored>(
  path: string | URL,
  restorers: readonly Restorer<M>[],
): Promise<M> {
  return withFile(path, (file) => modelFrom(file, restorers))
}

/** Reads the bytes of a model's file, as {@link readModel}. */
export async function readModelBytes<M extends Restored>(
  bytes: Uint8Array,
  restorers: readonly Restorer<M>[],
): Promise<M> {
  return modelFrom(bytesSource('bytes', bytes), restorers)
}

async function modelFrom<M extends Restored>(
  source: ByteSource,
  restorers: readonly Restorer<M>[],
): Promise<M> {
  let reading: ModelReading<M> | undefined
  const { tensors } = await safetensorsFrom(source, async (entries, metadata) => {
    reading = await modelReading(source.name, entries, metadata, restorers)
    return reading.places
  })
  return reading!.make(tensors)
}

/** A model whose description was read: where its arrays go, and how it is made when they are there. */
export interface ModelReading<M> {
  readonly places: Places
  readonly make: (tensors: Tensors) => Promise<M>
}

/**
 * Checks the description of a model in a file that may hold more.
 *
 * @param name - of the file
 * @throws {@link LayerwiseError} `ERR_FORMAT` as {@link readModel}
 */
export async function modelReading<M extends Restored>(
  name: string,
  entries: readonly TensorEntry[],
  metadata: Safetensors['metadata'],
  restorers: readonly Restorer<M>[],
): Promise<ModelReading<M>> {
  const entry = await readEntry(name, metadata)
  const own = await readOwn(name, metadata)
  const restorer = restorerOf(name, entry.class, restorers)
  const { scaler: json, ...described } = describe(name, entry, restorer)
  const scaler = await refuseAs(name, async () => storedScaler(name, json, entries))
  const others = entries.filter((entry) => !scaler?.places.has(entry.name))
  const file = { name, ...described, scaler: scaler?.scaler, entries: others }
  const restoring = await refuseAs(name, async () => restorer.restore(file))
  return {
    places: new Map([...(ownCopy(restoring).places ?? []), ...(scaler?.places ?? [])]),
    make: async (tensors) => {
      for (const { name: tensor, data } of tensors.values()) {
        const bad = await firstNotFinite(data)
        if (bad >= 0) throw formatError(name, `tensor '${tensor}' has ${data[bad]} at index ${bad}`)
      }
      if (scaler?.scaler.factor.includes(0)) throw formatError(name, 'a factor of its scaler is 0')
      const model = await refuseAs(name, async () => restoring.make(tensors))
      model.metadata = own
      return model
    },
  }
}

/** Runs checks written for callers on the contents of a file: their errors become `ERR_FORMAT` with the original error as cause. */
async function refuseAs<T>(name: string, check: () => Promise<T>): Promise<T> {
  try {
    return await check()
  } catch (error) {
    if (!(error instanceof LayerwiseError) || NOT_THE_FILE.includes(error.code)) throw error
    throw error.code === 'ERR_FORMAT' && error.message.startsWith(`'${name}': `)
      ? error
      : formatError(name, error.message, error)
  }
}

/** Errors that a valid file can cause too; `ERR_FORMAT` of this file is already correct. */
const NOT_THE_FILE: readonly string[] = ['ERR_MEMORY', 'ERR_LOAD'] satisfies ErrorCode[]

async function readEntry(name: string, metadata: Safetensors['metadata']): Promise<Record<string, unknown>> {
  const text = metadata[ENTRY]
  if (text === undefined) {
    throw formatError(
      name,
      metadata[CHECKPOINT_ENTRY] === undefined
        ? `it was not saved by layerwise: its metadata has no entry '${ENTRY}'`
        : 'it is the checkpoint of a training: resumeTraining goes on with it',
    )
  }
  const entry = await parseEntry(name, text)
  const { format } = entry
  if (typeof format !== 'number' || !Number.isInteger(format) || format < 1) {
    throw formatError(name, `its format is ${show(format)}, which no version of layerwise writes`)
  }
  if (format > FORMAT) {
    const newer = `its format is ${format}, of a newer version of layerwise`
    throw formatError(name, `${newer}; this one, ${version}, reads formats 1 to ${FORMAT}`)
  }
  return entry
}

async function readOwn(name: string, metadata: Safetensors['metadata']): Promise<ModelMetadata | undefined> {
  const text = metadata[OWN_ENTRY]
  if (text === undefined) return undefined
  try {
    return await metadataFromText(text)
  } catch (error) {
    throw formatError(name, `its metadata '${OWN_ENTRY}' is refused: ${(error as Error).message}`, error)
  }
}

function restorerOf<M extends Restored>(
  name: string,
  kind: unknown,
  restorers: readonly Restorer<M>[],
): Restorer<M> {
  if (typeof kind !== 'string') throw formatError(name, `its class is ${show(kind)}`)
  const restorer = restorers.find((known) => known.class === kind)
  if (restorer !== undefined) return restorer
  const [expected, ...others] = restorers
  throw formatError(
    name,
    others.length === 0
      ? `it holds a model of class ${show(kind)}, not ${show(expected!.class)}; loadModel and modelFromBytes read any class`
      : `it holds a model of class ${show(kind)}, which this version does not know`,
  )
}

function describe(
  name: string,
  entry: Record<string, unknown>,
  restorer: { class: string; fields?: readonly string[] },
): Omit<ModelFile, 'name' | 'entries' | 'scaler'> & { scaler: unknown } {
  const { class: kind, fields = [] } = ownCopy(restorer)
  const { format: _, class: __, version: ___, options, scaler, fits, ...more } = entry
  const keys = Object.keys(entry)
  const wanted = [...FIELDS, ...fields]
  if (keys.length !== wanted.length || !wanted.every((field) => keys.includes(field))) {
    throw formatError(
      name,
      `its metadata has the fields ${keys.join(', ')}; those of a ${kind} are ${wanted.join(', ')}`,
    )
  }
  if (!isRecord(options)) throw formatError(name, `its options are ${show(options)}`)
  return { class: kind, options, scaler, fits: checkFits(name, 'fits', fits), more }
}

/** The number of fits, modulo the range of the counter. */
export function checkFits(name: string, field: string, value: unknown): number {
  return checkCount(name, field, value, NUMBERED_FITS - 1)
}

/** A count in a file: a whole number from 0 to `most`. */
export function checkCount(name: string, field: string, value: unknown, most: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > most) {
    throw formatError(name, `its ${field} are ${show(value)} instead of a whole number from 0 to ${most}`)
  }
  return value
}

async function parseEntry(name: string, text: string): Promise<Record<string, unknown>> {
  let entry: unknown
  try {
    entry = await parseStrictJson(text, { depth: DEPTH, names: NAMES })
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw formatError(name, `its metadata '${ENTRY}' is not JSON: ${(error as Error).message}`, error)
  }
  if (!isRecord(entry)) throw formatError(name, `its metadata '${ENTRY}' is ${show(entry)}`)
  return entry
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

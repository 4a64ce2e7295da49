import { show } from '../base/show.js'
import { version } from '../base/version.js'
import { bytesOf } from '../data/bytes.js'
import { type ByteSource, formatError } from '../data/read-file.js'
import { type Safetensors, safetensorsParts, type Tensor, type TensorEntry } from '../data/safetensors.js'
import { readSafetensorsHeader } from '../data/safetensors-header.js'
import { firstNotFinite } from '../data/slices.js'
import { parseStrictJson } from '../data/strict-json.js'
import type { NativeTrainingState } from '../native/binding.js'
import { binding } from '../native/load.js'
import type { Fingerprints } from './fingerprint.js'

/** Raised when a file's meaning changes. */
const FORMAT = 1

/** The entry of a file's metadata that describes the training, a JSON object. */
export const CHECKPOINT_ENTRY = 'layerwise.checkpoint'

/** The entry with the CRC32C of all others, in decimal. */
const CHECKSUM_ENTRY = 'layerwise.checksum'

/** What the names of the model's entries begin with, in metadata and among the arrays. */
const MODEL = 'model.'

/** Deepest nesting: the training, its options, layers, a layer, its optimizer, and room. */
const DEPTH = 8

/** Most names: those of 1,000 layers with all their options, of their histories and of all arrays. */
const NAMES = 100_000

/** What must be the same for a training to go on with the same bits. */
export interface Kernels {
  readonly version: string
  readonly openblas: string
  readonly kernel: string
  readonly vectors: string
}

/** One part of a training: the whole of it, or a layer of a stack. */
export interface PhaseEntry {
  /** What events and history say of it. */
  readonly of: Readonly<Record<string, string | number>>
  /** The number of this fit, part of the key of its shuffles. */
  readonly fit: number
  /** Rows a step; 0 means all. It may have followed from the number of rows. */
  readonly batchSize: number
  /** What the columns of `history.INDEX` are, a row an epoch. */
  readonly columns: readonly string[]
  /** Why it ended; absent if it did not. */
  readonly stopped?: string
  readonly bestEpoch?: number
  /** What its history says beside the epochs; there if `stopped` is. */
  readonly diagnosis?: object
}

/** The description of a training in its file. */
export interface CheckpointHeader {
  /** The training's own name, random. */
  readonly run: string
  readonly kernels: Kernels
  /** The method of the model that was called. */
  readonly method: string
  /** The options of that call that are plain values. */
  readonly options: Readonly<Record<string, unknown>>
  /** Names of its options that are not. */
  readonly carried: readonly string[]
  readonly data: Fingerprints
  /** Those that were begun, in order. */
  readonly phases: readonly PhaseEntry[]
  /** How many there will be. */
  readonly phaseCount: number
  /** The whole numbers of the state. */
  readonly integers: Readonly<Record<string, number>>
}

/** A model as metadata and arrays of its own file. */
export interface ModelParts {
  readonly metadata: Readonly<Record<string, string>>
  readonly tensors: readonly Tensor[]
}

/** What a checkpoint holds. */
export interface Checkpoint {
  readonly header: Omit<CheckpointHeader, 'kernels' | 'integers'>
  readonly kernels: Kernels
  readonly model: ModelParts
  /** Numbers of the epochs of each phase, row-major. */
  readonly histories: readonly Float64Array[]
  /** Of the last phase, by name. */
  readonly state: NativeTrainingState
}

/** Whether a training has nothing left to do. */
export function isFinished({ phases, phaseCount }: Pick<CheckpointHeader, 'phases' | 'phaseCount'>): boolean {
  return phases.length === phaseCount && phases.at(-1)?.stopped !== undefined
}

/**
 * The bytes of a checkpoint in order. Nothing is copied. Every number of parameters and optimizer is looked at first, a slice at a time.
 *
 * @returns undefined where one is not finite
 */
export async function checkpointParts(checkpoint: Checkpoint): Promise<Uint8Array[] | undefined> {
  const { header, kernels, model, histories, state } = checkpoint
  const integers: Record<string, number> = {}
  const tensors = model.tensors.map((tensor) => ({ ...tensor, name: MODEL + tensor.name }))
  for (const [name, value] of Object.entries(state)) {
    if (typeof value === 'number') integers[name] = value
    else tensors.push({ name, shape: [value.length], data: value })
  }
  for (const [k, data] of histories.entries()) {
    const columns = header.phases[k]!.columns.length
    tensors.push({ name: `history.${k}`, shape: [columns && data.length / columns, columns], data })
  }
  const checksums: Record<string, number> = {}
  for (const { name, data } of tensors) {
    if (mustBeFinite(name, data.length) && (await firstNotFinite(data)) >= 0) return undefined
    checksums[name] = await checksumOf(data)
  }
  const entry = JSON.stringify({ format: FORMAT, kernels, ...header, integers, checksums })
  const own = Object.entries(model.metadata).map(([name, text]) => [MODEL + name, text])
  const metadata = { [CHECKPOINT_ENTRY]: entry, ...Object.fromEntries(own) }
  return safetensorsParts(tensors, { ...metadata, [CHECKSUM_ENTRY]: await textsChecksum(metadata) })
}

async function textsChecksum(metadata: Safetensors['metadata']): Promise<string> {
  const names = Object.keys(metadata).sort()
  const texts = names.filter((name) => name !== CHECKSUM_ENTRY).map((name) => [name, metadata[name]])
  return String(await binding().checksum(Buffer.from(JSON.stringify(texts)), 0))
}

/** Single numbers may say that there is none yet, and a history what was measured. */
function mustBeFinite(name: string, length: number): boolean {
  return length > 1 && !name.startsWith('history.')
}

/** CRC32C of an array, computed off the JavaScript thread. */
async function checksumOf(data: Tensor['data']): Promise<number> {
  let checksum = 0
  for (const bytes of bytesOf(data)) checksum = await binding().checksum(bytes, checksum)
  return checksum
}

/** A checkpoint's description and what else its metadata have. */
export interface ReadHeader {
  readonly header: CheckpointHeader
  readonly checksums: Readonly<Record<string, number>>
  /** The metadata of the model's own file. */
  readonly model: Readonly<Record<string, string>>
}

/**
 * Reads the header of a file that may be a checkpoint.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for another kind of file, a cut one, and one of a newer format
 */
export async function checkpointHeader(source: ByteSource): Promise<ReadHeader> {
  const { metadata } = await readSafetensorsHeader(source)
  return readHeader(source.name, metadata)
}

/** The same of metadata that have been read. */
export async function readHeader(name: string, metadata: Safetensors['metadata']): Promise<ReadHeader> {
  const text = metadata[CHECKPOINT_ENTRY]
  if (text === undefined) {
    const what =
      metadata.layerwise === undefined ? 'it is no checkpoint' : 'it is a saved model, no checkpoint'
    throw formatError(name, `${what}: its metadata has no entry '${CHECKPOINT_ENTRY}'`)
  }
  const { format, checksums, ...header } = await parse(name, text)
  if (format !== FORMAT) {
    const problem = `its format is ${show(format)}; this version, ${version}, reads format ${FORMAT}`
    throw formatError(name, problem)
  }
  if (metadata[CHECKSUM_ENTRY] !== (await textsChecksum(metadata))) {
    throw formatError(name, 'it is damaged: its metadata are not those that were written')
  }
  checkHeader(name, header)
  if (!isRecordOf(checksums, isWhole)) throw formatError(name, `its checksums are ${show(checksums)}`)
  const own = Object.entries(metadata).filter(([entry]) => entry.startsWith(MODEL))
  const model = Object.fromEntries(own.map(([entry, value]) => [entry.slice(MODEL.length), value]))
  return { header, checksums, model }
}

async function parse(name: string, text: string): Promise<Record<string, unknown>> {
  try {
    const entry = await parseStrictJson(text, { depth: DEPTH, names: NAMES })
    if (isRecord(entry)) return entry
    throw formatError(name, `its metadata '${CHECKPOINT_ENTRY}' is ${show(entry)}`)
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error
    throw formatError(name, `its metadata '${CHECKPOINT_ENTRY}' is not JSON: ${error.message}`, error)
  }
}

function checkHeader(
  name: string,
  header: Record<string, unknown>,
): asserts header is Record<string, unknown> & CheckpointHeader {
  const { run, kernels, method, options, carried, data, phases, phaseCount, integers } = header
  // In this order: each may use what those before it have found.
  const checks: Record<string, () => boolean> = {
    run: () => isText(run),
    kernels: () =>
      isRecordOf(kernels, isText) && ['version', 'openblas', 'kernel', 'vectors'].every((k) => k in kernels),
    method: () => isText(method),
    options: () => isRecord(options),
    carried: () => isListOf(carried, isText),
    data: () =>
      isRecord(data) && isRecord(data.x) && (data.validation === undefined || isRecord(data.validation)),
    phases: () => isListOf(phases, isPhase),
    phaseCount: () =>
      isWhole(phaseCount) && phaseCount >= 1 && (phases as readonly unknown[]).length <= phaseCount,
    integers: () => isRecordOf(integers, Number.isSafeInteger),
  }
  const bad = Object.keys(checks).find((field) => !checks[field]!())
  if (bad !== undefined) throw formatError(name, `its ${bad} are ${show(header[bad])}`)
}

function isPhase(value: unknown): boolean {
  if (!isRecord(value)) return false
  const { of, fit, batchSize, columns, stopped, bestEpoch, diagnosis } = value
  return (
    isRecordOf(of, (member) => isText(member) || isWhole(member)) &&
    isWhole(fit) &&
    isWhole(batchSize) &&
    isListOf(columns, isText) &&
    (stopped === undefined || isText(stopped)) &&
    (bestEpoch === undefined || isWhole(bestEpoch)) &&
    (diagnosis === undefined || isRecord(diagnosis))
  )
}

/** The arrays of a file by what they belong to. */
export interface CheckpointArrays {
  readonly model: ReadonlyMap<string, Tensor>
  readonly histories: readonly Float64Array[]
  readonly state: NativeTrainingState
}

/** Names and shapes of the model's arrays, as in its own file. */
export function modelEntries(entries: readonly TensorEntry[]): TensorEntry[] {
  return entries
    .filter(({ name }) => name.startsWith(MODEL))
    .map((entry) => ({ ...entry, name: entry.name.slice(MODEL.length) }))
}

/** The model's arrays to fill, under their names in the checkpoint. */
export function placesInCheckpoint<T>(places: ReadonlyMap<string, T>): Map<string, T> {
  return new Map([...places].map(([name, place]) => [MODEL + name, place]))
}

/**
 * Parts the arrays, whose bytes must be those that were written.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` if they are not
 */
export async function checkpointArrays(
  name: string,
  { header, checksums }: ReadHeader,
  tensors: Safetensors['tensors'],
): Promise<CheckpointArrays> {
  if (Object.keys(checksums).length !== tensors.size)
    throw formatError(name, 'it has arrays without a checksum')
  const model = new Map<string, Tensor>()
  const state: Record<string, Tensor['data'] | number> = Object.assign(Object.create(null), header.integers)
  const histories: Float64Array[] = []
  for (const tensor of tensors.values()) {
    if ((await checksumOf(tensor.data)) !== checksums[tensor.name]) {
      throw formatError(
        name,
        `it is damaged: the numbers of '${tensor.name}' are not those that were written`,
      )
    }
    if (mustBeFinite(tensor.name, tensor.data.length) && (await firstNotFinite(tensor.data)) >= 0)
      throw formatError(name, `it is damaged: '${tensor.name}' has numbers that are not finite`)
    const [, k] = /^history\.(\d{1,4})$/.exec(tensor.name) ?? []
    if (k !== undefined) histories[Number(k)] = tensor.data as Float64Array
    else if (tensor.name.startsWith(MODEL)) {
      const own = tensor.name.slice(MODEL.length)
      model.set(own, { ...tensor, name: own })
    } else state[tensor.name] = tensor.data
  }
  for (const [k, { columns }] of header.phases.entries()) {
    const { shape } = tensors.get(`history.${k}`) ?? { shape: [] }
    if (shape[1] !== columns.length)
      throw formatError(name, `it has no history of part ${k + 1} of the training`)
  }
  return { model, histories, state }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return value !== null && typeof value === 'object' && !Array.isArray(value)
}

function isRecordOf<T>(value: unknown, is: (member: unknown) => member is T): value is Record<string, T>
function isRecordOf(value: unknown, is: (member: unknown) => boolean): value is Record<string, unknown>
function isRecordOf(value: unknown, is: (member: unknown) => boolean): boolean {
  return isRecord(value) && Object.values(value).every(is)
}

function isListOf(value: unknown, is: (member: unknown) => boolean): value is unknown[] {
  return Array.isArray(value) && value.every(is)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isWhole(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

import type { PlainFloat64Array } from '../base/precision.js'
import { formatError } from '../data/read-file.js'
import type { Places, Tensor } from '../data/safetensors.js'
import type { ModelScaler } from '../data/scaling/scaler.js'
import { StandardScaler } from '../data/scaling/standard-scaler.js'
import { checkCount, type ModelFile, type Tensors } from '../models/model-file.js'
import { checkTensors, namedShapes, roomFor, views } from '../models/model-tensors.js'
import type { NativeLayer } from '../native/binding.js'
import { TableEncoder } from '../tables/encoding/table-encoder.js'
import { type DetectorState, Member, newStack } from './member.js'

/** The most autoencoders, and the most layers of one, in a file. */
const MOST = 100

/** Fields of a file that only a detector has. */
export const DETECTOR_FIELDS = ['hidden', 'members', 'heldOut', 'encoder']

/** The arrays of a fitted detector. */
export function detectorTensors({ members, reference }: DetectorState): Tensor[] {
  return [
    ...members.flatMap(({ network, typical }, m) => {
      const parameters = network.parameters()
      const hidden = network.options.layers.map(({ hidden }) => hidden)
      return [
        ...views(layersOf(network.inputs, hidden), parameters).map((tensor) => ({
          ...tensor,
          name: `members.${m}.${tensor.name}`,
        })),
        { name: `members.${m}.typicalErrors`, shape: [typical.length], data: typical },
      ]
    }),
    { name: 'scores', shape: [reference.length], data: reference },
  ]
}

/** What a file's description says of a detector, before its arrays are read. */
export interface StoredDetector {
  readonly places: Places
  /** Makes its state, once they are. */
  readonly make: (tensors: Tensors, seed: number) => DetectorState
}

/**
 * Checks names, shapes and types of a file's arrays against its description.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT`
 */
export function storedDetector(file: ModelFile): StoredDetector {
  const { name, scaler, more, entries, fits } = file
  if (!isStandard(scaler)) throw formatError(name, 'its scaler is no StandardScaler with a clip')
  const hidden = checkHidden(name, more.hidden)
  const count = checkCount(name, 'members', more.members, MOST)
  const heldOut = checkCount(name, 'heldOut', more.heldOut, Number.MAX_SAFE_INTEGER)
  const inputs = scaler.inputs
  const encoder = more.encoder === null ? undefined : TableEncoder.fromJSON(more.encoder)
  if (encoder !== undefined && encoder.width !== inputs)
    throw formatError(name, `its encoder makes ${encoder.width} columns where the scaler has ${inputs}`)
  const layers = layersOf(inputs, hidden)
  const indices = Array.from({ length: count }, (_, m) => m)
  const weights = indices.flatMap((m) =>
    namedShapes(layers).map(({ key, shape }) => ({ key: `members.${m}.${key}`, shape })),
  )
  const [rows = 0] = entries.find((entry) => entry.name === 'scores')?.shape ?? []
  if (count < 1 || rows < 1) throw formatError(name, 'it has no autoencoder, or no scores')
  const numbers = [
    ...indices.map((m) => ({ key: `members.${m}.typicalErrors`, shape: [inputs] })),
    { key: 'scores', shape: [rows] },
  ]
  const isNumber = (key: string) => numbers.some((one) => one.key === key)
  checkTensors({ name, entries: entries.filter((entry) => !isNumber(entry.name)) }, weights, 'float32')
  checkTensors({ name, entries: entries.filter((entry) => isNumber(entry.name)) }, numbers, 'float64')
  const rooms = indices.map(() => roomFor(layers, 'float32'))
  const places = new Map(
    rooms.flatMap((room, m) => [...room.places].map(([key, data]) => [`members.${m}.${key}`, data] as const)),
  )
  const make = (tensors: Tensors, seed: number): DetectorState => {
    const numbersOf = (key: string) => tensors.get(key)!.data as PlainFloat64Array
    const reference = numbersOf('scores')
    if (reference.some((score, k) => k > 0 && score < reference[k - 1]!))
      throw formatError(name, 'its scores do not rise')
    const members = rooms.map(({ parameters }, m) => {
      const typical = numbersOf(`members.${m}.typicalErrors`)
      if (!typical.every((error) => error > 0)) throw formatError(name, 'a typical error is not above 0')
      return new Member(newStack(scaler, hidden, seed + m, { parameters, fits }), typical)
    })
    return { members, reference, heldOut, encoder }
  }
  return { places, make }
}

function isStandard(scaler: ModelScaler | undefined): scaler is StandardScaler {
  return scaler instanceof StandardScaler && scaler.clip !== undefined
}

function checkHidden(name: string, value: unknown): number[] {
  if (!Array.isArray(value) || value.length === 0 || value.length > MOST)
    throw formatError(name, 'its hidden are not the units of each layer')
  return value.map((units) => {
    const checked = checkCount(name, 'hidden', units, 2 ** 31 - 1)
    if (checked === 0) throw formatError(name, 'a layer has no units')
    return checked
  })
}

/** The layers of an unrolled stack. */
function layersOf(inputs: number, hidden: readonly number[]): NativeLayer[] {
  const sizes = [inputs, ...hidden]
  const down = hidden.map((outputs, k) => ({ inputs: sizes[k]!, outputs, activation: 'relu' as const }))
  const up = down.map(({ inputs: outputs, outputs: units }, k) => ({
    inputs: units,
    outputs,
    activation: k === 0 ? ('identity' as const) : ('relu' as const),
  }))
  return [...down, ...up.reverse()]
}

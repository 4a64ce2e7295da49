import { allocateUnset } from '../base/precision.js'
import { formatError } from '../data/read-file.js'
import type { Places, Tensor, TensorEntry } from '../data/safetensors.js'
import { checkScaler, type ModelScaler, scalerFromJSON, scalerOf } from '../data/scaling/scaler.js'
import { scalerKindFromJSON } from '../data/scaling/scaler-json.js'
import { checkTensors } from './model-tensors.js'

/** A scaler's arrays, with one number for each column. */
const SCALER_FIELDS = ['shift', 'factor'] as const

/** A scaler's numbers, one for each column: as JSON, very many columns would block the event loop. */
export function scalerTensors(scaler: ModelScaler | undefined): Tensor[] {
  return scaler === undefined
    ? []
    : SCALER_FIELDS.map((field) => {
        const data = scaler[field]
        return { name: `scaler.${field}`, shape: [data.length], data }
      })
}

/** A scaler whose numbers are read later, and the arrays for them. */
export interface StoredScaler {
  readonly scaler: ModelScaler
  readonly places: Places
}

/** Format 1 has a scaler's numbers in the JSON, later ones as arrays. */
export function storedScaler(
  name: string,
  json: unknown,
  entries: readonly TensorEntry[],
): StoredScaler | undefined {
  if (json === null) return undefined
  if (typeof json === 'object' && json !== null && Object.hasOwn(json, 'shift'))
    return { scaler: scalerFromJSON(json), places: new Map() }
  const kind = scalerKindFromJSON(json)
  const [columns = 0] = entries.find((entry) => entry.name === 'scaler.shift')?.shape ?? []
  if (columns < 1) throw formatError(name, "it has no tensor 'scaler.shift' of a number for each column")
  const numbers = {
    shift: allocateUnset('float64', columns, 'shift'),
    factor: allocateUnset('float64', columns, 'factor'),
  }
  const wanted = SCALER_FIELDS.map((field) => ({ key: `scaler.${field}`, shape: [columns] }))
  const found = entries.filter((entry) => wanted.some(({ key }) => key === entry.name))
  checkTensors({ name, entries: found }, wanted, 'float64')
  const places = new Map(SCALER_FIELDS.map((field) => [`scaler.${field}`, numbers[field]]))
  return { scaler: scalerOf(kind, numbers), places }
}

/** The scaler described in a file, checked for this number of inputs. */
export function restoredScaler(
  { scaler }: { readonly scaler: ModelScaler | undefined },
  inputs: number,
): ModelScaler | undefined {
  return scaler && checkScaler('scaling', scaler, inputs)
}

import { argumentError, ownCopy, shapeError } from '../../base/check.js'
import { show } from '../../base/show.js'
import type { Scaler } from './column-scaler.js'
import { MinMaxScaler } from './min-max-scaler.js'
import { type Fitted, jsonError, type ScalerJSON, type ScalerKind } from './scaler-json.js'
import { StandardScaler } from './standard-scaler.js'

/** A scaler of ours. */
export type ModelScaler = MinMaxScaler | StandardScaler

/** A scaler of this kind with these numbers, which are finite, factors not 0; not copied. */
export function scalerOf(kind: ScalerKind, fitted: Fitted): ModelScaler {
  const said = ownCopy(kind)
  const scaler =
    said.kind === 'minMax'
      ? new MinMaxScaler({ range: said.range, clip: said.clip })
      : new StandardScaler({ center: said.center, clip: said.clip })
  return scaler.restore(fitted)
}

/**
 * The scaler that `toJSON` described: for reading one back from a file.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for anything else
 */
export function scalerFromJSON(value: unknown): MinMaxScaler | StandardScaler {
  const kind = (value as { kind?: unknown } | null | undefined)?.kind
  if (kind === 'minMax') return MinMaxScaler.fromJSON(value)
  if (kind === 'standard') return StandardScaler.fromJSON(value)
  throw jsonError('kind', `is neither 'minMax' nor 'standard' but ${show(kind)}`)
}

/**
 * A fitted scaler of ours, for rows of `inputs` columns.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another object (a model saves its scaler and must know its kind),
 *   `ERR_STATE` if it is not fitted, `ERR_SHAPE` for another width
 */
export function checkScaler(argument: string, value: unknown, inputs: number): ModelScaler {
  const scaler = asScaler(value)
  if (scaler === undefined) throw argumentError(argument, 'a fitted MinMaxScaler or StandardScaler', value)
  if (scaler.inputs !== inputs)
    throw shapeError(argument, `a scaler fitted on ${inputs} columns`, scaler.inputs)
  return scaler
}

/** A scaler of this copy of the package itself; one of another copy is rebuilt from its description. */
function asScaler(value: unknown): ModelScaler | undefined {
  if (value instanceof MinMaxScaler || value instanceof StandardScaler) return value
  const { toJSON } = (value ?? {}) as Partial<Scaler>
  if (typeof toJSON !== 'function') return undefined
  const json: unknown = toJSON.call(value)
  const { kind } = (json ?? {}) as Partial<ScalerJSON>
  return kind === 'minMax' || kind === 'standard' ? scalerFromJSON(json) : undefined
}

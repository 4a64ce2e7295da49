import { ownCopy, readArray } from '../../base/check.js'
import { LayerwiseError } from '../../base/errors.js'
import { show } from '../../base/show.js'

/** A fitted scaler as plain data. */
export type ScalerJSON = MinMaxScalerJSON | StandardScalerJSON

/** The map of every column. */
interface ColumnsJSON {
  /** [inputs], in the units of x. */
  shift: number[]
  /** [inputs], finite and not 0. */
  factor: number[]
}

/** A fitted {@link MinMaxScaler}. */
export interface MinMaxScalerJSON extends ColumnsJSON {
  /** Identifies the kind of scaler. */
  kind: 'minMax'
  /** [low, high], what the smallest and the largest training value became. */
  range: [number, number]
  /** Present where values outside the range of the training data map to the ends of `range`. */
  clip?: true
}

/** A fitted {@link StandardScaler}. */
export interface StandardScalerJSON extends ColumnsJSON {
  /** Identifies the kind of scaler. */
  kind: 'standard'
  /** Present where the mean is not subtracted. */
  center?: false
  /** Present where scaled values beyond ±`clip` map to ±`clip`. */
  clip?: number
}

/** What a scaler is, but for the numbers of its columns. */
export type ScalerKind =
  | Pick<MinMaxScalerJSON, 'kind' | 'range' | 'clip'>
  | Pick<StandardScalerJSON, 'kind' | 'center' | 'clip'>

/** What a scaler has found, a number a column: factors are finite and not 0. */
export interface Fitted {
  readonly shift: Float64Array
  readonly factor: Float64Array
}

/**
 * What kind of scaler JSON without the numbers of its columns describes.
 *
 * @throws {@link LayerwiseError} `ERR_FORMAT` for anything else
 */
export function scalerKindFromJSON(value: unknown): ScalerKind {
  const kind = (value as { kind?: unknown } | null | undefined)?.kind
  if (kind === 'minMax') {
    const json = checkJSON(value, kind, ['kind', 'range'], ['clip'])
    return { kind, range: rangeFromJSON(json), ...(clipFromJSON(json) && { clip: true }) }
  }
  if (kind === 'standard') {
    const json = checkJSON(value, kind, ['kind'], ['center', 'clip'])
    const clip = boundFromJSON(json)
    return { kind, ...(!centerFromJSON(json) && { center: false }), ...(clip !== undefined && { clip }) }
  }
  throw jsonError('kind', `is neither 'minMax' nor 'standard' but ${show(kind)}`)
}

export function checkJSON(
  value: unknown,
  kind: string,
  keys: readonly string[],
  optional: readonly string[] = [],
): Record<string, unknown> {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw jsonError('', `is ${show(value)}`)
  const found = Object.keys(value).filter((key) => !optional.includes(key))
  if (found.length !== keys.length || !keys.every((key) => found.includes(key))) {
    throw jsonError('', `has the fields ${found.join(', ')} instead of ${keys.join(', ')}`)
  }
  const json = ownCopy(value) as Record<string, unknown>
  if (json.kind !== kind) throw jsonError('kind', `is ${show(json.kind)} instead of '${kind}'`)
  return json
}

function finiteNumbers(json: Record<string, unknown>, field: string): readonly number[] {
  const value = json[field]
  const numbers = Array.isArray(value) ? readArray<unknown>(value) : undefined
  if (!numbers?.every((entry) => typeof entry === 'number' && Number.isFinite(entry))) {
    throw jsonError(field, 'is not an array of finite numbers')
  }
  return numbers as number[]
}

export function clipFromJSON({ clip }: Record<string, unknown>): boolean {
  if (clip !== undefined && clip !== true) throw jsonError('clip', `is ${show(clip)}`)
  return clip === true
}

export function centerFromJSON({ center }: Record<string, unknown>): boolean {
  if (center !== undefined && center !== false) throw jsonError('center', `is ${show(center)}`)
  return center !== false
}

export function boundFromJSON({ clip }: Record<string, unknown>): number | undefined {
  if (clip === undefined) return undefined
  if (typeof clip !== 'number' || !(clip > 0 && Number.isFinite(clip)))
    throw jsonError('clip', `is ${show(clip)}`)
  return clip
}

export function rangeFromJSON(json: Record<string, unknown>): [low: number, high: number] {
  const [low, high, ...rest] = finiteNumbers(json, 'range')
  if (low === undefined || high === undefined || rest.length > 0 || low >= high)
    throw jsonError('range', 'is not [low, high] with low < high')
  return [low, high]
}

export function fittedFromJSON(json: Record<string, unknown>): Fitted {
  const shift = finiteNumbers(json, 'shift')
  const factor = finiteNumbers(json, 'factor')
  if (shift.length === 0 || shift.length !== factor.length)
    throw jsonError('factor', 'is not as long as shift, or both are empty')
  if (factor.includes(0)) throw jsonError('factor', 'contains 0')
  return { shift: Float64Array.from(shift), factor: Float64Array.from(factor) }
}

export function jsonError(field: string, problem: string): LayerwiseError {
  return new LayerwiseError('ERR_FORMAT', `not a saved scaler: ${field === '' ? 'it' : field} ${problem}`)
}

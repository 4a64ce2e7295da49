import { ownCopy } from '../base/check.js'
import { allocateUnset, type FloatArray, type Precision } from '../base/precision.js'
import type { NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import type { RunOptions } from '../native/run-options.js'
import { checkedWhileRead, checkFinite } from '../objective/row-check.js'
import type { FitRows, NamedRows } from '../training/named-rows.js'
import { CodeFolder, type CodeSettings } from './code-folder.js'
import { forwardInto, forwardTask } from './forward.js'
import type { Network } from './network.js'

/**
 * Memory for the codes of one layer at a time: each layer reuses the memory of the previous one, whose codes are no longer needed. With
 * garbage collection, codes of two layers would often be in memory at once.
 */
export class CodeMemory<P extends Precision> {
  readonly #precision: P
  readonly #widest: number
  readonly #arrays = new Map<string, FloatArray<P>>()

  /** @param widest - the most codes a row will have */
  constructor(precision: P, widest: number) {
    this.#precision = precision
    this.#widest = widest
  }

  /**
   * An array for `rows` rows of `cols` codes; `argument` names the rows in errors.
   *
   * @throws {@link LayerwiseError} `ERR_MEMORY` if there is no room
   */
  take(argument: string, rows: number, cols: number): FloatArray<P> {
    const known = this.#arrays.get(argument)
    const array = known ?? allocateUnset(this.#precision, rows * this.#widest, `codes of ${argument}`)
    if (known === undefined) this.#arrays.set(argument, array)
    return array.subarray(0, rows * cols) as FloatArray<P>
  }
}

/** Where codes are kept; undefined: they are computed again at each step. */
export type CodeStore<P extends Precision> = CodeMemory<P> | CodeFolder | undefined

/**
 * Where the codes of these rows go.
 *
 * @param widest - the most codes a row will have
 */
export function codeStore<P extends Precision>(
  { recompute, codes }: CodeSettings,
  { training }: FitRows,
  precision: P,
  widest: number,
): CodeStore<P> {
  if (codes !== undefined) return new CodeFolder(codes)
  return (recompute ?? training.rows.files !== undefined) ? undefined : new CodeMemory(precision, widest)
}

/**
 * The input rows of the layer after the first `k`, with their labels and weights: codes, computed once and kept in `store`; or, without one,
 * the rows themselves, which then pass through the first `k` layers at each step.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE` for rows that are not finite, `ERR_MEMORY`, `ERR_FILE` if there is no room for codes
 */
export async function codesOf<P extends Precision>(
  network: Network<P>,
  k: number,
  { training, validation }: FitRows,
  store: CodeStore<P>,
  run: RunOptions,
  work: NativeWork,
): Promise<FitRows> {
  const codes = async (given: NamedRows): Promise<NamedRows> => {
    if (store === undefined) return throughLayers(network, k, given, work)
    const { argument, rows } = given
    const kept =
      store instanceof CodeMemory
        ? await inMemory(network, k, given, store, run)
        : await store.write(given, forwardTask(network, { from: 0, to: k }, argument, NO_FORM), run)
    const labels = rows.labels && { labels: rows.labels }
    const weights = rows.weights && { weights: rows.weights }
    return {
      argument: `codes of ${argument} in layer ${k}`,
      rows: ownCopy({ ...kept, ...labels, ...weights }),
    }
  }
  if (store instanceof CodeFolder) await store.clear()
  return {
    training: await codes(training),
    validation: typeof validation === 'object' ? await codes(validation) : validation,
  }
}

/** Rows that were read have their form already. */
const NO_FORM = { width: 0, precision: 'float32', scaling: undefined } as const

async function inMemory<P extends Precision>(
  network: Network<P>,
  k: number,
  { argument, rows }: NamedRows,
  memory: CodeMemory<P>,
  run: RunOptions,
): Promise<NativeRows> {
  const { outputs: cols } = network.layers[k - 1]!
  const data = memory.take(argument, rows.rows, cols)
  await forwardInto(data, network, { from: 0, to: k }, argument, rows, run)
  return ownCopy({ data, type: network.precision, rows: rows.rows, cols, scale: 1 })
}

async function throughLayers<P extends Precision>(
  network: Network<P>,
  k: number,
  { argument, rows }: NamedRows,
  work: NativeWork,
): Promise<NamedRows> {
  const through = network.slice(0, k)
  if (rows.files !== undefined)
    return { argument, rows: ownCopy({ ...checkedWhileRead(rows, 'finite', network), through }) }
  await checkFinite(argument, rows, network.precision, work)
  return { argument, rows: ownCopy({ ...rows, through }) }
}

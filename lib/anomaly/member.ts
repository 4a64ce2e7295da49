import { allocate, type PlainFloat32Array, type PlainFloat64Array } from '../base/precision.js'
import { StandardScaler } from '../data/scaling/standard-scaler.js'
import { valueSlices } from '../data/slices.js'
import type { Stored } from '../models/network.js'
import { StackedAutoencoder } from '../models/stacked-autoencoder.js'
import type { RunOptions } from '../native/run-options.js'
import type { TableEncoder } from '../tables/encoding/table-encoder.js'
import { type LearningRows, partsOf } from './learning-rows.js'

/** Scaled values are bounded by this, so that no finite row overflows. */
const BOUND = 1e12

/** The least typical error of a column, in squared spreads: that of a column that is reconstructed all but exactly is rounding. */
export const LEAST_TYPICAL = 1e-3

/** The least typical error of a column as a share of its mean error over all rows, those left out included. */
const LEAST_SHARE = 0.1

/**
 * An autoencoder of a detector, and the typical error of each column, in squared spreads.
 *
 * A score is the mean over the columns of error ÷ typical error. The same network in other units gives it as its reconstruction error: in units
 * in which the typical error of each column is 1 ÷ columns. `scoring` is that network.
 */
export class Member {
  readonly network: StackedAutoencoder
  readonly typical: PlainFloat64Array
  readonly scoring: StackedAutoencoder
  #bare: StackedAutoencoder | undefined
  #out: PlainFloat32Array | undefined

  constructor(network: StackedAutoencoder, typical: PlainFloat64Array) {
    this.network = network
    this.typical = typical
    this.scoring = inTypicalErrors(network, typical)
  }

  /**
   * The reconstruction of a scaled row, scaled: in float64 it can be brought back to large units without loss. The next call overwrites it.
   */
  reconstructScaled(row: Float64Array): PlainFloat32Array {
    this.#bare ??= withoutScaling(this.network)
    this.#out ??= new Float32Array(row.length)
    return this.#bare.reconstructSync(row, this.#out)
  }
}

/** A fitted detector. */
export interface DetectorState {
  readonly members: readonly Member[]
  /** The scores that threshold and probabilities are taken from, rising. */
  readonly reference: PlainFloat64Array
  /** How many of them are those of rows that were not learned from: all or none. */
  readonly heldOut: number
  /** Of a detector that was fitted on a table. */
  readonly encoder?: TableEncoder | undefined
}

/** A stack for rows of these scaled columns: relu codes and identity outputs. */
export function newStack(
  scaling: StandardScaler,
  hidden: readonly number[],
  seed: number,
  stored?: Stored<'float32'>,
): StackedAutoencoder {
  const layers = hidden.map((units, k) => ({
    hidden: units,
    activation: 'relu' as const,
    ...(k === 0 && { outputActivation: 'identity' as const }),
  }))
  const options = { inputs: scaling.inputs, layers, seed, scaling }
  return stored === undefined
    ? new StackedAutoencoder(options)
    : new StackedAutoencoder<'float32'>(options, stored)
}

/** Takes columns that are always 0, after scaling, out of a new network: their weights are 0 and stay so in training. */
export function silence(network: StackedAutoencoder, columns: readonly number[]): void {
  if (columns.length === 0) return
  const parameters = network.parameters()
  const { first, last, biases, hidden } = outerWeights(network, parameters)
  const { inputs } = network
  for (const j of columns) {
    for (let i = 0; i < hidden; i++) first[i * inputs + j] = 0
    last.fill(0, j * hidden, (j + 1) * hidden)
    biases[j] = 0
  }
  network.setParameters(parameters)
}

/**
 * The typical error of each column: the mean over the rows that were learned from, at least {@link LEAST_TYPICAL}. A column may vary among the rows
 * that were left out alone, as a rare category does: it is also at least a share of the mean over all rows.
 */
export async function typicalErrors(
  network: StackedAutoencoder,
  { learned, all }: { learned: LearningRows; all: LearningRows },
  run: RunOptions,
): Promise<PlainFloat64Array> {
  const typical = await meanErrors(network, learned, run)
  const ofAll = all === learned ? typical : await meanErrors(network, all, run)
  return typical.map((error, j) => Math.max(LEAST_TYPICAL, error, LEAST_SHARE * ofAll[j]!))
}

/** Mean error of each column, in squared spreads. */
async function meanErrors(
  network: StackedAutoencoder,
  rows: LearningRows,
  run: RunOptions,
): Promise<PlainFloat64Array> {
  const means = allocate('float64', rows.cols, 'typical errors')
  for await (const part of partsOf(rows)) {
    const errors = await network.reconstructionErrorPerFeature(part, run)
    for await (const { row, toRow, column, toColumn, values } of valueSlices('x', errors)) {
      for (let i = row, k = 0; i < toRow; i++)
        for (let j = column; j < toColumn; j++) means[j]! += values[k++]!
    }
  }
  return means.map((sum) => sum / rows.rows)
}

function inTypicalErrors(network: StackedAutoencoder, typical: Float64Array): StackedAutoencoder {
  const { inputs, options } = network
  const unit = typical.map((error) => 1 / Math.sqrt(error * inputs))
  const parameters = network.parameters()
  const { first, last, biases, hidden } = outerWeights(network, parameters)
  for (let i = 0; i < hidden; i++) for (let j = 0; j < inputs; j++) first[i * inputs + j]! /= unit[j]!
  for (let j = 0; j < inputs; j++) {
    for (let k = j * hidden; k < (j + 1) * hidden; k++) last[k]! *= unit[j]!
    biases[j]! *= unit[j]!
  }
  const { shift, factor } = network.scaling!
  const scaling = new StandardScaler({ clip: BOUND }).restore({
    shift: shift.slice(),
    factor: factor.map((value, j) => value * unit[j]!),
  })
  const scoring = new StackedAutoencoder({ ...options, scaling })
  scoring.setParameters(parameters)
  return scoring
}

function withoutScaling(network: StackedAutoencoder): StackedAutoencoder {
  const bare = new StackedAutoencoder(network.options)
  bare.setParameters(network.parameters())
  return bare
}

/** The weights that lead from the inputs and to the outputs, as parts of all parameters. */
function outerWeights(network: StackedAutoencoder, parameters: PlainFloat32Array) {
  const { inputs } = network
  const hidden = network.options.layers[0]!.hidden
  return {
    hidden,
    first: parameters.subarray(0, hidden * inputs),
    last: parameters.subarray(-inputs * (hidden + 1), -inputs),
    biases: parameters.subarray(-inputs),
  }
}

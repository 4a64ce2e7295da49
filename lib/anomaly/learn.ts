import type { PlainFloat64Array } from '../base/precision.js'
import { Matrix } from '../data/matrix.js'
import type { DenseFittingRows, Rows } from '../data/rows.js'
import type { StackedAutoencoder } from '../models/stacked-autoencoder.js'
import type { RunOptions } from '../native/run-options.js'
import type { FitProgress, TrainingHistory } from '../training/history.js'
import type { AnomalyFitOptions } from './anomaly-options.js'
import { centralRows } from './central-rows.js'
import { type DetectorState, Member, newStack, silence, typicalErrors } from './member.js'
import type { Recipe } from './recipe.js'
import { spreadsOf } from './spreads.js'

/** Rows to learn from, and rows that are only measured. */
interface Parts {
  readonly learned: Matrix
  /** Undefined: the scores of the learned rows are used. */
  readonly heldOut: Matrix | undefined
}

/** A detector that has learned, and what happened. */
export interface Learned {
  readonly state: DetectorState
  readonly trained: number
  readonly leftOut: number
  readonly trainings: readonly TrainingHistory[]
}

/** Checked options of `fit` and `update`. */
export interface LearnOptions extends Pick<AnomalyFitOptions, 'earlyStopping' | 'onProgress'> {
  readonly run: RunOptions
  readonly validation: DenseFittingRows | number
  readonly seed: number
}

/** Learns from nothing. */
export async function learn(x: Matrix, recipe: Recipe, options: LearnOptions): Promise<Learned> {
  const rows = await partsOf(x, options)
  const { scaler, constant } = await spreadsOf(rows.learned)
  const networks = Array.from({ length: recipe.members }, (_, m) => {
    const network = newStack(scaler, recipe.hidden, options.seed + m)
    silence(network, constant)
    return network
  })
  return train(networks, rows, recipe, options)
}

/** Goes on with new rows: all layers together, in the units of the rows that were learned first. */
export async function learnMore(
  x: Matrix,
  { members }: DetectorState,
  recipe: Recipe,
  options: LearnOptions,
): Promise<Learned> {
  const networks = members.map(({ network }) => copyOf(network))
  return train(networks, await partsOf(x, options), { ...recipe, layerEpochs: 0 }, options)
}

async function partsOf(x: Matrix, { validation, seed }: LearnOptions): Promise<Parts> {
  if (typeof validation !== 'number') return { learned: x, heldOut: matrixOf(validation) }
  if (validation === 0) return { learned: x, heldOut: undefined }
  const [heldOut, learned] = x.split(validation, seed)
  return { learned, heldOut }
}

async function train(
  networks: readonly StackedAutoencoder[],
  { learned, heldOut }: Parts,
  recipe: Recipe,
  options: LearnOptions,
): Promise<Learned> {
  const { run } = options
  const scaling = networks[0]!.scaling as Parameters<typeof centralRows>[1]
  const rows =
    recipe.kept < 1 ? learned.select(await centralRows(learned, scaling, recipe.kept, run)) : learned
  const epochs = Math.max(recipe.epochs, Math.ceil(recipe.minSteps / Math.ceil(rows.rows / recipe.batchSize)))
  const trainings: TrainingHistory[] = []
  const members: Member[] = []
  for (const [m, network] of networks.entries()) {
    const fitting = fitOptions(heldOut, recipe, options, { member: m + 1, members: networks.length })
    if (recipe.layerEpochs > 0)
      trainings.push(...(await network.fit(rows, { ...fitting, epochs: recipe.layerEpochs })))
    trainings.push(await network.fineTune(rows, { ...fitting, epochs }))
    members.push(new Member(network, await typicalErrors(network, rows, run)))
  }
  const reference = (await scoresOf(members, heldOut ?? learned, run)).sort()
  const state = { members, reference, heldOut: heldOut?.rows ?? 0 }
  return { state, trained: rows.rows, leftOut: learned.rows - rows.rows, trainings }
}

function fitOptions(
  heldOut: Matrix | undefined,
  { batchSize }: Recipe,
  { run, earlyStopping, onProgress }: LearnOptions,
  place: { member: number; members: number },
) {
  return {
    ...run,
    batchSize,
    ...(earlyStopping && { earlyStopping, ...(heldOut && { validation: heldOut }) }),
    ...(onProgress && { onProgress: async (progress: FitProgress) => onProgress({ ...progress, ...place }) }),
  }
}

/** Mean over the members. */
export async function scoresOf(
  members: readonly Member[],
  x: Rows,
  run: RunOptions,
): Promise<PlainFloat64Array> {
  const [first, ...others] = members
  const scores = await first!.scoring.reconstructionError(x, run)
  for (const { scoring } of others) {
    const more = await scoring.reconstructionError(x, run)
    for (let i = 0; i < scores.length; i++) scores[i]! += more[i]!
  }
  return others.length === 0 ? scores : scores.map((sum) => sum / members.length)
}

function matrixOf(x: DenseFittingRows): Matrix {
  return x instanceof Matrix ? x : Matrix.fromRows(x as Exclude<DenseFittingRows, Matrix>)
}

function copyOf(network: StackedAutoencoder): StackedAutoencoder {
  const copy = newStack(
    network.scaling as Parameters<typeof newStack>[0],
    network.options.layers.map(({ hidden }) => hidden),
    network.options.seed,
  )
  copy.setParameters(network.parameters())
  return copy
}

import { shapeError } from '../base/check.js'
import { splitRowsInSlices } from '../data/split-rows.js'
import type { StackedAutoencoder } from '../models/stacked-autoencoder.js'
import type { RunOptions } from '../native/run-options.js'
import type { FitProgress, TrainingHistory } from '../training/history.js'
import type { AnomalyFitOptions } from './anomaly-options.js'
import { centralRows } from './central-rows.js'
import type { LearningRows } from './learning-rows.js'
import { type DetectorState, Member, newStack, silence, typicalErrors } from './member.js'
import type { Recipe } from './recipe.js'
import type { RowStore } from './row-store.js'
import { scoresOf } from './scores.js'
import { sorted } from './sorted.js'
import { spreadsOf } from './spreads.js'

/** Rows to learn from, and rows that are only measured. */
interface Parts {
  readonly learned: LearningRows
  /** Undefined: the scores of the learned rows are used. */
  readonly heldOut: LearningRows | undefined
}

/** A detector that has learned, and what happened. */
export interface Learned {
  readonly state: DetectorState
  readonly trained: number
  readonly leftOut: number
  readonly trainings: readonly TrainingHistory[]
}

/** How rows are learned from. */
export interface LearnOptions extends Pick<AnomalyFitOptions, 'earlyStopping' | 'onProgress'> {
  readonly run: RunOptions
  /** Rows that are not learned from, or the fraction of rows to hold out. */
  readonly validation: LearningRows | number
  readonly seed: number
}

/** Learns from nothing. Parts of the rows that lie in files are copied to the store. */
export async function learn(
  x: LearningRows,
  recipe: Recipe,
  options: LearnOptions,
  store: RowStore,
): Promise<Learned> {
  const rows = await heldOutOf(x, options, store)
  const { scaler, constant } = await spreadsOf(rows.learned)
  const networks = Array.from({ length: recipe.members }, (_, m) => {
    const network = newStack(scaler, recipe.hidden, options.seed + m)
    silence(network, constant)
    return network
  })
  return train(networks, rows, recipe, options, store)
}

/** Goes on with new rows: all layers together, in the units of the rows that were learned first. */
export async function learnMore(
  x: LearningRows,
  { members }: DetectorState,
  recipe: Recipe,
  options: LearnOptions,
  store: RowStore,
): Promise<Learned> {
  const networks = members.map(({ network }) => copyOf(network))
  const rows = await heldOutOf(x, options, store)
  return train(networks, rows, { ...recipe, layerEpochs: 0 }, options, store)
}

/** Holds a fraction out, as `split` of a Matrix does it. */
async function heldOutOf(
  x: LearningRows,
  { validation, seed, run }: LearnOptions,
  store: RowStore,
): Promise<Parts> {
  if (typeof validation !== 'number') return { learned: x, heldOut: validation }
  if (validation === 0) return { learned: x, heldOut: undefined }
  if (x.rows < 2) throw shapeError('x', 'at least 2 rows, to hold some out', x.rows)
  const between = () => run.signal?.throwIfAborted()
  const [heldOut, learned] = await splitRowsInSlices('x', x.rows, validation, seed, between)
  return { learned: await store.select(x, learned), heldOut: await store.select(x, heldOut) }
}

async function train(
  networks: readonly StackedAutoencoder[],
  { learned, heldOut }: Parts,
  recipe: Recipe,
  options: LearnOptions,
  store: RowStore,
): Promise<Learned> {
  const { run } = options
  const scaling = networks[0]!.scaling as Parameters<typeof centralRows>[1]
  const rows =
    recipe.kept < 1
      ? await store.select(learned, await centralRows(learned, scaling, recipe.kept, run))
      : learned
  const epochs = Math.max(recipe.epochs, Math.ceil(recipe.minSteps / Math.ceil(rows.rows / recipe.batchSize)))
  const trainings: TrainingHistory[] = []
  const members: Member[] = []
  for (const [m, network] of networks.entries()) {
    const fitting = fitOptions(heldOut, recipe, options, { member: m + 1, members: networks.length })
    if (recipe.layerEpochs > 0)
      trainings.push(...(await network.fit(rows, { ...fitting, epochs: recipe.layerEpochs })))
    trainings.push(await network.fineTune(rows, { ...fitting, epochs }))
    members.push(new Member(network, await typicalErrors(network, { learned: rows, all: learned }, run)))
  }
  const reference = await sorted(await scoresOf(members, heldOut ?? learned, run))
  const state = { members, reference, heldOut: heldOut?.rows ?? 0 }
  return { state, trained: rows.rows, leftOut: learned.rows - rows.rows, trainings }
}

function fitOptions(
  heldOut: LearningRows | undefined,
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

function copyOf(network: StackedAutoencoder): StackedAutoencoder {
  const copy = newStack(
    network.scaling as Parameters<typeof newStack>[0],
    network.options.layers.map(({ hidden }) => hidden),
    network.options.seed,
  )
  copy.setParameters(network.parameters())
  return copy
}

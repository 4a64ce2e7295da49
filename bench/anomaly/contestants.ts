import { tmpdir } from 'node:os'
import { learn } from '../../lib/anomaly/learn.js'
import type { Recipe } from '../../lib/anomaly/recipe.js'
import { withRowStore } from '../../lib/anomaly/row-store.js'
import { scoresOf } from '../../lib/anomaly/scores.js'
import {
  AnomalyDetector,
  averagePrecision,
  type Matrix,
  MinMaxScaler,
  rocAuc,
  SparseAutoencoder,
  StandardScaler,
  type TrainedOn,
} from '../../lib/index.js'
import { type Figures, keyOf, type Protocol, protocols, type Table } from './tables.js'

/** Something that learns and scores. */
export interface Contestant {
  readonly name: string
  fit(training: Matrix, seed: number): Promise<(rows: Matrix) => Promise<ArrayLike<number>>>
}

/** Mean figures of one contestant over the seeds of each table, and its seconds. */
export interface Outcome {
  readonly name: string
  /** By protocol and table. */
  readonly figures: ReadonlyMap<string, Figures>
  /** Processor seconds of all fits, and of scoring all rows, over all tables and seeds, by protocol. */
  readonly fitSeconds: Readonly<Record<Protocol, number>>
  readonly scoreSeconds: Readonly<Record<Protocol, number>>
}

/** The AnomalyDetector as a user has it. */
export function detector(trainedOn: TrainedOn, validation?: number): Contestant {
  const said = validation === undefined ? '' : `, validation ${validation}`
  return {
    name: `AnomalyDetector ${trainedOn}${said}`,
    fit: async (training, seed) => {
      const model = new AnomalyDetector({ trainedOn, seed: 100 * seed })
      await model.fit(training, { threads: 1, ...(validation !== undefined && { validation }) })
      return (rows) => model.score(rows, { threads: 1 })
    },
  }
}

/** A detector of another recipe, which learns from all rows. */
export function recipeOf(name: string, recipe: Recipe): Contestant {
  return {
    name,
    fit: async (training, seed) => {
      const run = { threads: 1 }
      const options = {
        run,
        validation: 0,
        seed: 100 * seed,
        earlyStopping: undefined,
        onProgress: undefined,
      }
      const place = { folder: tmpdir(), inMemory: Infinity }
      const { state } = await withRowStore(place, run, (store) => learn(training, recipe, options, store))
      return (rows) => scoresOf(state.members, rows, run)
    },
  }
}

/** One hidden layer of half the columns with the defaults of `fit`, as a user first tries it. */
export function singleLayer(scaling: 'standard' | 'minMax'): Contestant {
  const isStandard = scaling === 'standard'
  return {
    name: isStandard ? 'one layer, StandardScaler, identity outputs' : 'one layer, MinMaxScaler',
    fit: async (training, seed) => {
      const scaler = isStandard ? new StandardScaler() : new MinMaxScaler()
      const model = new SparseAutoencoder({
        inputs: training.cols,
        hidden: Math.max(1, Math.round(training.cols / 2)),
        ...(isStandard && { outputActivation: 'identity' }),
        scaling: await scaler.fit(training),
        seed,
      })
      await model.fit(training, { threads: 1 })
      return (rows) => model.reconstructionError(rows, { threads: 1 })
    },
  }
}

/** Of this process, all its threads: other processes do not disturb it. */
function processorSeconds(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1e6
}

/** Lets a contestant learn and score every table with every seed. */
export async function tried(
  contestant: Contestant,
  tables: readonly Table[],
  seeds: number,
  which: readonly Protocol[] = protocols,
): Promise<Outcome> {
  const figures = new Map<string, Figures>()
  const fitSeconds = { oneclass: 0, unsupervised: 0 }
  const scoreSeconds = { oneclass: 0, unsupervised: 0 }
  for (const table of tables) {
    for (const protocol of which) {
      const found: Figures[] = []
      for (let seed = 0; seed < Math.min(seeds, table.seeds); seed++) {
        const { training, scored, labels } = table.task(protocol, seed)
        const start = processorSeconds()
        const score = await contestant.fit(training, seed)
        const fitted = processorSeconds()
        const scores = Float64Array.from(await score(scored))
        fitSeconds[protocol] += fitted - start
        scoreSeconds[protocol] += processorSeconds() - fitted
        found.push({ auroc: rocAuc(scores, labels), precision: averagePrecision(scores, labels) })
      }
      figures.set(keyOf(protocol, table.name), meanOf(found))
    }
  }
  return { name: contestant.name, figures, fitSeconds, scoreSeconds }
}

/** Mean of each figure. */
export function meanOf(figures: readonly Figures[]): Figures {
  const mean = (of: (one: Figures) => number) =>
    figures.reduce((sum, one) => sum + of(one), 0) / figures.length
  return { auroc: mean(({ auroc }) => auroc), precision: mean(({ precision }) => precision) }
}

/** Mean over tables, if all of them are there. */
export function overTables(
  figures: ReadonlyMap<string, Figures>,
  protocol: Protocol,
  tables: readonly string[],
): Figures | undefined {
  const found = tables.map((table) => figures.get(keyOf(protocol, table)))
  return found.every((one) => one !== undefined) ? meanOf(found) : undefined
}

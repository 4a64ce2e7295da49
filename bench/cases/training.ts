import { runtime } from '../../lib/index.js'
import { rowsOf, type Storage } from '../measuring/data.js'
import { fitWindow, type WindowOptions } from '../measuring/fit-window.js'
import { trainingFlopsPerRow } from '../measuring/flops.js'
import { Limits } from '../measuring/limits.js'
import { ratios, type Summary, summary } from '../measuring/statistics.js'
import { modelOf, trainingOf } from './autoencoder.js'
import type { Effort, TrainingCase } from './cases.js'
import { type CrossingResult, measureCrossing } from './crossing.js'
import { type Verified, verifyTraining } from './verify.js'

/** A case on one number of threads. */
export interface ThreadsResult {
  readonly offered: number
  readonly used: number
  /** Through `fit`. */
  readonly samplesPerSecond: Summary
  readonly secondsPerStep: number
  /** GFLOP/s of sgemm on 2048³, of a step's products alone, and of the products within training. */
  readonly limit: Summary
  readonly plan: Summary
  readonly products: Summary
  readonly shareOfLimit: Summary
  readonly shareOfPlan: Summary
  readonly planShareOfLimit: Summary
}

export interface TrainingResult {
  readonly kind: 'training'
  readonly case: TrainingCase
  readonly data: { readonly source: string; readonly rows: number; readonly storage: Storage }
  readonly verified: Verified
  readonly rounds: number
  readonly windowSeconds: number
  readonly byThreads: readonly ThreadsResult[]
  /** Samples/s on the most threads over those on one, where more than one is used. */
  readonly scaling?: Summary
  readonly crossing: CrossingResult
}

/** Enough rounds for a stable median on a machine whose speed changes within seconds. */
export const ROUNDS = 15

/** The share of the time that is spent on Node against C++. */
const CROSSING = 0.5

/** The subjects that alternate in a round. */
const subjects = ['limit', 'plan', 'fit'] as const
type Subject = (typeof subjects)[number]

/** One round's figures of each subject, for one number of threads. */
type Rounds = Record<Subject, number[]>

/** Verifies a case, then times it: rounds of short windows in which all subjects take turns on all numbers of threads. */
export async function measureTraining(
  of: TrainingCase,
  storage: Storage,
  effort: Effort,
): Promise<TrainingResult> {
  const { source, matrix } = await rowsOf(of, storage)
  const { batchSize, learningRate } = of
  const model = modelOf(of)
  const verified = await verifyTraining(model, of, matrix)

  const limits = new Limits()
  try {
    await checkSameCore(limits)
    await checkFlops(of, await limits.open(trainingOf(of), matrix))
    const settings = await threadSettings(limits, effort.threads)
    const windowSeconds = (effort.seconds * (1 - CROSSING)) / (ROUNDS * settings.length * subjects.length)
    const measure: Record<Subject, (setting: Setting) => Promise<number>> = {
      fit: ({ offered: threads }) => {
        const settings = { batchSize, learningRate, threads }
        const fit = (options: WindowOptions) => model.fit(matrix, { ...options, ...settings })
        return fitWindow(fit, matrix.rows, batchSize, windowSeconds)
      },
      limit: ({ used }) => limits.limit(used, windowSeconds),
      plan: ({ offered }) => limits.plan(offered, windowSeconds),
    }
    const turns = settings.flatMap((setting) => subjects.map((subject) => ({ setting, subject })))
    for (let round = 0; round < ROUNDS; round++) {
      for (const { setting, subject } of round % 2 === 0 ? turns : turns.toReversed()) {
        setting.rounds[subject].push(await measure[subject](setting))
      }
    }
    return {
      kind: 'training',
      case: of,
      data: { source, rows: matrix.rows, storage },
      verified,
      rounds: ROUNDS,
      windowSeconds,
      byThreads: settings.map((setting) => threadsResult(of, setting)),
      ...(settings.length > 1 && {
        scaling: summary(ratios(settings.at(-1)!.rounds.fit, settings[0]!.rounds.fit)),
      }),
      crossing: await measureCrossing(of, storage, { ...effort, seconds: effort.seconds * CROSSING }),
    }
  } finally {
    limits.close()
  }
}

interface Setting {
  readonly offered: number
  readonly used: number
  readonly rounds: Rounds
}

/** One thread and the most threads; just these where the case uses no more than one. */
async function threadSettings(limits: Limits, most: number): Promise<Setting[]> {
  const settings: Setting[] = []
  for (const offered of most > 1 ? [most, 1] : [1]) {
    const used = await limits.threads(offered)
    if (settings.some((other) => other.used === used)) continue
    settings.unshift({ offered, used, rounds: { fit: [], limit: [], plan: [] } })
  }
  return settings
}

function threadsResult(of: TrainingCase, { offered, used, rounds }: Setting): ThreadsResult {
  const flops = trainingFlopsPerRow(of.inputs, of.hidden)
  const products = rounds.fit.map((rate) => (rate * flops) / 1e9)
  const samplesPerSecond = summary(rounds.fit)
  return {
    offered,
    used,
    samplesPerSecond,
    secondsPerStep: of.batchSize / samplesPerSecond.median,
    limit: summary(rounds.limit),
    plan: summary(rounds.plan),
    products: summary(products),
    shareOfLimit: summary(ratios(products, rounds.limit)),
    shareOfPlan: summary(ratios(products, rounds.plan)),
    planShareOfLimit: summary(ratios(rounds.plan, rounds.limit)),
  }
}

/** Comparing two builds would mean nothing. */
async function checkSameCore(limits: Limits): Promise<void> {
  const { openblas, kernel, vectors } = runtime()
  const here = `${openblas} ${kernel} ${vectors}`
  const there = await limits.describe()
  if (there !== here) throw new Error(`the addon runs on ${here}, layerwise_limits on ${there}`)
}

async function checkFlops({ inputs, hidden, batchSize }: TrainingCase, there: number): Promise<void> {
  const here = batchSize * trainingFlopsPerRow(inputs, hidden)
  if (there !== here) throw new Error(`a step has ${here} flops, but layerwise_limits does ${there}`)
}

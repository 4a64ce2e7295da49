import { join } from 'node:path'
import { fitWindow } from '../fit-window.js'
import { evaluationFlopsPerRow } from '../flops.js'
import { Limits, type Training } from '../limits.js'
import { ratios, summary } from '../statistics.js'
import type { Figure, JobResult } from './figures.js'
import { installed, JobFolder, python } from './folder.js'
import { sklearnJob, type TrainingJob } from './jobs.js'
import { type Model, modelOf, rowsOf } from './model.js'
import { Peer } from './peer.js'
import { prove, reach } from './proof.js'
import { bestVariant, ROUNDS, rounds } from './rounds.js'

/** How long a window is, how many threads everyone has, and on which rows. */
export interface Effort {
  readonly seconds: number
  readonly threads: number
  readonly rows: 'float32' | 'dense'
}

export const torchEnvironment = { TORCHINDUCTOR_CACHE_DIR: join(installed, 'inductor') }

/** Samples/s of our training, rows in their order as the peers take them. */
export function window(
  model: Model,
  { batchSize, learningRate }: Training,
  rows: number,
  { seconds, threads }: Omit<Effort, 'rows'>,
  shuffle = false,
): Promise<number> {
  return fitWindow(
    (options) => model.fit(rows, { ...options, batchSize, learningRate, threads, shuffle }),
    rows,
    batchSize,
    seconds,
  )
}

export function widths({ layers }: Training): number[] {
  return [layers[0]!.inputs, ...layers.map(({ outputs }) => outputs)]
}

/** Steps of Adam on minibatches, against PyTorch or scikit-learn. */
export async function raceTraining(job: TrainingJob, effort: Effort): Promise<JobResult> {
  const { training, goals } = job
  const sklearn = job === sklearnJob
  const rows = await rowsOf(job, effort.rows)
  const count = rows.matrix.rows
  const model = modelOf(job, rows)
  const start = model.parameters()
  const folder = new JobFolder(training, rows, start, effort.threads)
  const script = python(sklearn ? 'sklearn_peer.py' : 'torch_peer.py', folder)
  const { peer, versions } = await Peer.start(script, effort.threads, torchEnvironment)
  const limits = new Limits()
  try {
    const flops = evaluationFlopsPerRow(widths(training))
    const there = await limits.open(training, rows.matrix)
    if (there !== flops * training.batchSize)
      throw new Error(`a step has ${flops * training.batchSize} flops, not ${there}`)
    const used = await limits.threads(effort.threads)
    const ours = await reach(model, job, count, effort.threads)
    const proof: string[] = []
    const variants = sklearn ? ['scikit-learn'] : torchVariants(training, used < effort.threads)
    for (const variant of variants) proof.push(await prove(peer, variant, folder, start, ours))
    const theirs = async (variant: string, seconds: number) => {
      const { samplesPerSecond } = await peer.ask<{ samplesPerSecond: number }>('train', { variant, seconds })
      return samplesPerSecond
    }
    const { best, tried } = await bestVariant(variants, (variant) => theirs(variant, effort.seconds / 2))

    const { values, repeated } = await rounds({
      ours: () => window(model, training, count, effort),
      theirs: () => theirs(best, effort.seconds),
      limit: () => limits.limit(used, effort.seconds),
      plan: () => limits.plan(effort.threads, effort.seconds),
    })
    const productsOf = (rates: readonly number[]) => rates.map((rate) => (rate * flops) / 1e9)
    const products = productsOf(values.ours)
    const goal = (atLeast: number | undefined) => (atLeast === undefined ? {} : { goal: { atLeast } })
    const figures: Figure[] = [
      { label: 'layerwise', unit: 'samples/s', values: summary(values.ours) },
      { label: sklearn ? best : `torch, ${best}`, unit: 'samples/s', values: summary(values.theirs) },
      {
        label: 'times the peer',
        unit: 'ratio',
        values: summary(ratios(values.ours, values.theirs)),
        ...goal(goals.ratio),
      },
      {
        label: 'the limit, times the peer',
        unit: 'ratio',
        values: summary(ratios(values.limit, productsOf(values.theirs))),
      },
      {
        label: `the limit, ${used} thread${used === 1 ? '' : 's'}`,
        unit: 'GFLOP/s',
        values: summary(values.limit),
      },
      { label: "the plan's limit", unit: 'GFLOP/s', values: summary(values.plan) },
      {
        label: 'share of the limit',
        unit: 'ratio',
        values: summary(ratios(products, values.limit)),
        ...goal(goals.limit),
      },
      {
        label: "share of the plan's",
        unit: 'ratio',
        values: summary(ratios(products, values.plan)),
        ...goal(goals.plan),
      },
    ]
    return {
      job: job.name,
      title: `${title(job)}; ${count.toLocaleString('en-US')} rows, ${rows.source}, float32, in their order`,
      proof,
      peers: { ...versions, tried },
      rounds: ROUNDS,
      repeated,
      windowSeconds: effort.seconds,
      figures,
    }
  } finally {
    limits.close()
    peer.close()
    folder.remove()
  }
}

/** Where there is no weight decay, who computes it makes no difference. */
/** On one thread too where we take fewer than we are offered. */
function torchVariants({ objective }: Training, fewer: boolean): string[] {
  const decays = objective.weightDecay === 0 ? [''] : ['', ', decay in Adam']
  const threads = fewer ? ['', ', one thread'] : ['']
  return ['eager', 'compile'].flatMap((variant) =>
    decays.flatMap((decay) => threads.map((thread) => variant + decay + thread)),
  )
}

export function title({ training }: TrainingJob): string {
  const { objective, batchSize, learningRate } = training
  const { loss, weightDecay, penalty } = objective
  const kl = penalty ? `, KL ρ ${penalty.target} β ${penalty.weight} (mean of the batch)` : ''
  return (
    `${widths(training).join('-')}, ${loss === 'squared' ? 'squared loss' : 'softmax and log loss'}${kl}, λ ${weightDecay}, ` +
    `batch ${batchSize.toLocaleString('en-US')}, Adam ${learningRate}`
  )
}

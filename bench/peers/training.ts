import { fitWindow } from '../measuring/fit-window.js'
import { evaluationFlopsPerRow } from '../measuring/flops.js'
import { Limits, type Training } from '../measuring/limits.js'
import { ratios, summary } from '../measuring/statistics.js'
import { Contender, entries, sklearnEntry } from './contender.js'
import type { Figure, JobResult } from './figures.js'
import { JobFolder } from './folder.js'
import { sklearnJob, type TrainingJob } from './jobs.js'
import { type Model, modelOf, rowsOf } from './model.js'
import { reach } from './proof.js'
import { ROUNDS, rounds, type Subjects } from './rounds.js'

/** How long a window is, how many threads everyone has, and on which rows. */
export interface Effort {
  readonly seconds: number
  readonly threads: number
  readonly rows: 'float32' | 'dense'
}

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

/** Steps of Adam on minibatches, against PyTorch and JAX, or against scikit-learn. */
export async function raceTraining(job: TrainingJob, effort: Effort): Promise<JobResult> {
  const { training } = job
  const rows = await rowsOf(job, effort.rows)
  const count = rows.matrix.rows
  const model = modelOf(job, rows)
  const start = model.parameters()
  const folder = new JobFolder(training, rows, start)
  const contenders = (job === sklearnJob ? [sklearnEntry] : entries(job)).map((entry) => new Contender(entry))
  const limits = new Limits()
  try {
    const flops = evaluationFlopsPerRow(widths(training))
    const there = await limits.open(training, rows.matrix)
    if (there !== flops * training.batchSize)
      throw new Error(`a step has ${flops * training.batchSize} flops, not ${there}`)
    const used = await limits.threads(effort.threads)
    // A small job may be faster on one thread: peers are tried on as many as we use, too.
    const threads = job === sklearnJob || used === effort.threads ? [effort.threads] : [effort.threads, used]
    const ours = await reach(model, job, count, effort.threads)
    const proof: string[] = []
    for (const contender of contenders) {
      proof.push(...(await contender.enter(folder, threads, start, ours)))
      await contender.choose(effort.seconds / 2)
    }

    const { values, repeated } = await rounds<Subjects>({
      ours: () => window(model, training, count, effort),
      ...Object.fromEntries(contenders.map((peer) => [peer.name, () => peer.window(effort.seconds)])),
      limit: () => limits.limit(used, effort.seconds),
      plan: () => limits.plan(effort.threads, effort.seconds),
    })
    const rates = { ours: values.ours!, limit: values.limit!, plan: values.plan! }
    const peers = contenders.map(({ name, best }) => ({ name, best, rates: values[name]! }))
    return {
      job: job.name,
      title: `${title(job)}; ${count.toLocaleString('en-US')} rows, ${rows.source}, float32, in their order`,
      proof,
      peers: Object.fromEntries(contenders.map(({ name, about }) => [name, about])),
      rounds: ROUNDS,
      repeated,
      windowSeconds: effort.seconds,
      figures: trainingFigures(job, { ...rates, peers, flops, used }),
    }
  } finally {
    limits.close()
    for (const contender of contenders) contender.close()
    folder.remove()
  }
}

/** What a race of trainings gave, a value each round. */
export interface Rates {
  /** Samples/s. */
  readonly ours: readonly number[]
  /** The same of the best variant of each peer. */
  readonly peers: readonly {
    readonly name: string
    readonly best: string
    readonly rates: readonly number[]
  }[]
  /** GFLOP/s of sgemm at its best, on `used` threads, and of the own products alone. */
  readonly limit: readonly number[]
  readonly plan: readonly number[]
  readonly used: number
  /** Of a row's products. */
  readonly flops: number
}

/** The ratio to the fastest peer is first, then those to the others, in the order of their rates. */
export function trainingFigures(
  { goals }: Pick<TrainingJob, 'goals'>,
  { ours, peers, limit, plan, used, flops }: Rates,
): Figure[] {
  const productsOf = (rates: readonly number[]) => rates.map((rate) => (rate * flops) / 1e9)
  const products = productsOf(ours)
  const goal = (atLeast: number | undefined) => (atLeast === undefined ? {} : { goal: { atLeast } })
  const ratio = (label: string, values: readonly number[], atLeast?: number): Figure => ({
    ...{ label, unit: 'ratio', values: summary(values) },
    ...goal(atLeast),
  })
  const median = (rates: readonly number[]) => summary(rates).median
  const inOrder = peers.toSorted((a, b) => median(b.rates) - median(a.rates))
  return [
    ...inOrder.map(({ name, rates }, place) =>
      ratio(
        place === 0 ? `times the fastest peer, ${name}` : `times ${name}`,
        ratios(ours, rates),
        goals.ratios?.[name],
      ),
    ),
    { label: 'layerwise', unit: 'samples/s', values: summary(ours) },
    ...inOrder.map(
      ({ name, best, rates }): Figure => ({
        label: `${name}, ${best}`,
        unit: 'samples/s',
        values: summary(rates),
      }),
    ),
    ratio('the limit, times the fastest peer', ratios(limit, productsOf(inOrder[0]!.rates))),
    {
      label: `the limit, ${used} thread${used === 1 ? '' : 's'}`,
      unit: 'GFLOP/s',
      values: summary(limit),
    },
    { label: "the plan's limit", unit: 'GFLOP/s', values: summary(plan) },
    ratio('share of the limit', ratios(products, limit), goals.limit),
    ratio("share of the plan's", ratios(products, plan), goals.plan),
  ]
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

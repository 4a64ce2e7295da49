import { Limits } from '../measuring/limits.js'
import { ratios, summary } from '../measuring/statistics.js'
import type { Figure, JobResult } from './figures.js'
import { CUT_GOAL, SCALING_GOAL, trainingJobs, UINT8_GOAL } from './jobs.js'
import { modelOf, rowsOf } from './model.js'
import { ROUNDS, rounds } from './rounds.js'
import { type Effort, window } from './training.js'

const named = (...names: string[]) => trainingJobs.filter(({ name }) => names.includes(name))

/** Training on bytes against training on float32 rows, shuffled, as a user trains. */
export async function measureStorage(effort: Effort): Promise<JobResult> {
  const figures: Figure[] = []
  let again = 0
  for (const job of named('digits', 'digits1k')) {
    const floats = await rowsOf(job, 'float32')
    const bytes = await rowsOf(job, 'uint8')
    const [overFloats, overBytes] = [modelOf(job, floats), modelOf(job, bytes)]
    const count = floats.matrix.rows
    const { values, repeated } = await rounds({
      float32: () => window(overFloats, job.training, count, effort, true),
      uint8: () => window(overBytes, job.training, count, effort, true),
    })
    again += repeated
    figures.push(
      { label: `${job.name}: float32`, unit: 'samples/s', values: summary(values.float32) },
      { label: `${job.name}: uint8`, unit: 'samples/s', values: summary(values.uint8) },
      {
        label: `${job.name}: uint8 of float32`,
        unit: 'ratio',
        values: summary(ratios(values.uint8, values.float32)),
        goal: { atLeast: UINT8_GOAL },
      },
    )
  }
  return own(
    'uint8',
    'layerwise alone: rows as bytes in memory against rows as float32, shuffled',
    effort,
    figures,
    again,
  )
}

/** The gain of training from more threads, relative to the gain of its products alone. */
export async function measureScaling(effort: Effort): Promise<JobResult> {
  const { seconds, threads } = effort
  if (threads < 2) throw new Error('threads: expected --threads of at least 2')
  const figures: Figure[] = []
  let again = 0
  for (const job of named('digits', 'digits1k', 'deep', 'finetune1k')) {
    const rows = await rowsOf(job, effort.rows)
    const count = rows.matrix.rows
    const model = modelOf(job, rows)
    const limits = new Limits()
    try {
      await limits.open(job.training, rows.matrix)
      const { values, repeated } = await rounds({
        one: () => window(model, job.training, count, { seconds, threads: 1 }),
        all: () => window(model, job.training, count, effort),
        planOne: () => limits.plan(1, seconds),
        planAll: () => limits.plan(threads, seconds),
      })
      const scaling = ratios(values.all, values.one)
      const plan = ratios(values.planAll, values.planOne)
      again += repeated
      figures.push(
        { label: `${job.name}: 1 → ${threads} threads`, unit: 'ratio', values: summary(scaling) },
        { label: `${job.name}: its products alone`, unit: 'ratio', values: summary(plan) },
        {
          label: `${job.name}: of the products' scaling`,
          unit: 'ratio',
          values: summary(ratios(scaling, plan)),
          goal: { atLeast: SCALING_GOAL },
        },
      )
    } finally {
      limits.close()
    }
  }
  return own('threads', `layerwise alone: ${threads} threads against one`, effort, figures, again)
}

/** What it costs that the cut is the same for any number of threads: against the best of a few cuts made for this number. */
export async function measureCut(effort: Effort): Promise<JobResult> {
  const { seconds, threads } = effort
  const figures: Figure[] = []
  let again = 0
  for (const job of named('digits', 'digits1k', 'deep', 'finetune1k')) {
    const limits = new Limits()
    try {
      await limits.open(job.training, (await rowsOf(job, 'float32')).matrix)
      const cut = (blocks: number, tiles: number) => () => limits.cut(threads, seconds, blocks, tiles)
      const cuts = { '1 and 1': cut(1, 1), '1 and 2': cut(1, 2), '2 and 1': cut(2, 1), '2 and 2': cut(2, 2) }
      const plan = () => limits.plan(threads, seconds)
      const { values, repeated } = await rounds({ plan, ...cuts })
      again += repeated
      const names = Object.keys(cuts) as (keyof typeof cuts)[]
      const median = (name: keyof typeof cuts) => summary(values[name]).median
      const best = names.reduce((a, b) => (median(b) > median(a) ? b : a))
      figures.push(
        { label: `${job.name}: the plan's products`, unit: 'GFLOP/s', values: summary(values.plan) },
        {
          label: `${job.name}: cut by threads, ${best} a thread`,
          unit: 'GFLOP/s',
          values: summary(values[best]),
        },
        {
          label: `${job.name}: the plan of the best cut`,
          unit: 'ratio',
          values: summary(ratios(values.plan, values[best])),
          goal: { atLeast: CUT_GOAL },
        },
      )
    } finally {
      limits.close()
    }
  }
  const title = `layerwise alone: products in a cut that is the same at any number of threads, against cuts for ${threads}`
  return own('cut', title, effort, figures, again)
}

function own(
  job: string,
  title: string,
  { seconds }: Effort,
  figures: Figure[],
  repeated: number,
): JobResult {
  return { job, title, proof: [], peers: {}, rounds: ROUNDS, repeated, windowSeconds: seconds, figures }
}

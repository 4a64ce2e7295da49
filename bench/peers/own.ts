import { Limits } from '../limits.js'
import { ratios, summary } from '../statistics.js'
import type { Figure, JobResult } from './figures.js'
import { SCALING_GOAL, trainingJobs, UINT8_GOAL } from './jobs.js'
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

/** What more threads bring to training, against what they bring to its products alone. */
export async function measureScaling(effort: Effort): Promise<JobResult> {
  const { seconds, threads } = effort
  if (threads < 2) throw new Error('threads: expected --threads of at least 2')
  const figures: Figure[] = []
  let again = 0
  for (const job of named('digits', 'digits1k', 'deep', 'finetune1k')) {
    const rows = await rowsOf(job, 'float32')
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

function own(
  job: string,
  title: string,
  { seconds }: Effort,
  figures: Figure[],
  repeated: number,
): JobResult {
  return { job, title, proof: [], peers: {}, rounds: ROUNDS, repeated, windowSeconds: seconds, figures }
}

import { evaluationFlopsPerRow } from '../measuring/flops.js'
import { Limits } from '../measuring/limits.js'
import { ratios, summary } from '../measuring/statistics.js'
import { torchEnvironment } from './contender.js'
import type { Figure, JobResult } from './figures.js'
import { JobFolder, python } from './folder.js'
import { lbfgsJob as job } from './jobs.js'
import { modelOf, rowsOf } from './model.js'
import { Peer } from './peer.js'
import { proveGradient } from './proof.js'
import { ROUNDS, rounds } from './rounds.js'
import { type Effort, widths } from './training.js'

/** How a minimisation went. */
interface Run {
  readonly seconds: number
  readonly iterations: number
  readonly evaluations: number
  readonly cost: number
}

/** Iterations of a window: enough that the line search has settled. */
const WINDOW = 15

/** L-BFGS over all rows against SciPy's and PyTorch's: rounds of few iterations, then all of them once. */
export async function raceLbfgs(effort: Effort): Promise<JobResult> {
  const { training, history, iterations } = job
  const rows = await rowsOf(job, effort.rows, training.batchSize)
  const count = rows.matrix.rows
  const model = modelOf(job, rows)
  const start = model.parameters()
  const folder = new JobFolder(training, rows, start)
  const limits = new Limits()
  const peers: Peer[] = []
  const open = async (script: string) => {
    const started = await Peer.start(python(script, folder), effort.threads, torchEnvironment)
    peers.push(started.peer)
    return started
  }
  try {
    const scipy = await open('scipy_peer.py')
    const torch = await open('torch_peer.py')
    const ours = await model.cost(count, true)
    const contenders = [
      { name: 'scipy', peer: scipy.peer, variant: 'numpy' },
      { name: 'torch', peer: torch.peer, variant: 'eager' },
      { name: 'torch', peer: torch.peer, variant: 'compile' },
    ]
    const proof: string[] = []
    for (const { name, peer, variant } of contenders) {
      proof.push(await proveGradient(peer, `${name}, ${variant}`, variant, folder, ours))
    }
    const minimize = async (most: number): Promise<Run> => {
      model.setParameters(start)
      const begin = performance.now()
      const optimizer = { kind: 'lbfgs', maxIterations: most, history, tolerance: 0 } as const
      const { epochs } = await model.fit(count, { optimizer, threads: effort.threads })
      const seconds = (performance.now() - begin) / 1000
      const evaluations = epochs.reduce((sum, epoch) => sum + epoch.evaluations, 0)
      return { seconds, iterations: epochs.length, evaluations, cost: (await model.cost(count, false)).total }
    }
    const ask = (peer: Peer, variant: string, most: number) =>
      peer.ask<Run>('minimize', { variant, iterations: most, history })
    const each = async (run: Promise<Run>) => {
      const { seconds, evaluations } = await run
      return seconds / evaluations
    }

    const flops = count * evaluationFlopsPerRow(widths(training))
    if ((await limits.open(training, rows.matrix)) !== flops) throw new Error('the limits count other flops')
    const { values, repeated } = await rounds({
      ours: () => each(minimize(WINDOW)),
      scipy: () => each(ask(scipy.peer, 'numpy', WINDOW)),
      eager: () => each(ask(torch.peer, 'eager', WINDOW)),
      compile: () => each(ask(torch.peer, 'compile', WINDOW)),
      limit: () => limits.limit(effort.threads, effort.seconds),
      plan: () => limits.plan(effort.threads, effort.seconds),
    })
    const median = (name: 'eager' | 'compile') => summary(values[name], 'less').median
    const best = median('eager') < median('compile') ? 'eager' : 'compile'
    const whole = {
      ours: await minimize(iterations),
      scipy: await ask(scipy.peer, 'numpy', iterations),
      torch: await ask(torch.peer, best, iterations),
    }
    const products = values.ours.map((seconds) => flops / seconds / 1e9)
    const one = (value: number) => summary([value], 'less')
    const ms = (name: keyof typeof values) =>
      summary(
        values[name].map((seconds) => 1000 * seconds),
        'less',
      )
    const inOrder = (['scipy', 'torch'] as const).toSorted((a, b) => whole[a].seconds - whole[b].seconds)
    const figures: Figure[] = [
      ...inOrder.map(
        (name, place): Figure => ({
          label: `times ${place === 0 ? 'the fastest peer, ' : ''}${name}, all iterations`,
          unit: 'ratio',
          values: summary([whole[name].seconds / whole.ours.seconds]),
          goal: { atLeast: job.ratios[name] },
        }),
      ),
      { label: 'an evaluation: layerwise', unit: 'ms', values: ms('ours') },
      { label: 'an evaluation: scipy', unit: 'ms', values: ms('scipy') },
      { label: `an evaluation: torch, ${best}`, unit: 'ms', values: ms(best) },
      {
        label: 'times scipy, an evaluation',
        unit: 'ratio',
        values: summary(ratios(values.scipy, values.ours)),
      },
      {
        label: 'times torch, an evaluation',
        unit: 'ratio',
        values: summary(ratios(values[best], values.ours)),
      },
      ...(['ours', 'scipy', 'torch'] as const).flatMap((name): Figure[] => {
        const { seconds, cost, evaluations, iterations: done } = whole[name]
        const label = `${done} iterations, ${evaluations} evaluations: ${name === 'ours' ? 'layerwise' : name}`
        return [
          { label, unit: 's', values: one(seconds) },
          {
            label: `cost after them: ${name === 'ours' ? 'layerwise' : name}`,
            unit: 'cost',
            values: one(cost),
          },
        ]
      }),
      { label: 'the limit', unit: 'GFLOP/s', values: summary(values.limit) },
      { label: "the plan's limit", unit: 'GFLOP/s', values: summary(values.plan) },
      {
        label: 'share of the limit',
        unit: 'ratio',
        values: summary(ratios(products, values.limit)),
        goal: { atLeast: job.goals.limit! },
      },
      {
        label: "share of the plan's",
        unit: 'ratio',
        values: summary(ratios(products, values.plan)),
        goal: { atLeast: job.goals.plan! },
      },
    ]
    return {
      job: job.name,
      title:
        `${widths(training).join('-')}, KL, all ${count.toLocaleString('en-US')} rows of ${rows.source} at once, ${history} pairs kept; ` +
        `an evaluation from ${WINDOW} iterations`,
      proof,
      peers: { ...scipy.versions, ...torch.versions },
      rounds: ROUNDS,
      repeated,
      windowSeconds: effort.seconds,
      figures,
    }
  } finally {
    limits.close()
    for (const peer of peers) peer.close()
    folder.remove()
  }
}

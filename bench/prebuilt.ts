/**
 * How fast the prebuilt addon trains beside the source build's:
 *
 *   npm run bench:prebuilt -- [--binary PATH] [--seconds N] [--rounds N] [--json]
 *
 * Two processes, one for each binary, alternate in windows of the same training, digits and digits1k of `npm run bench`.
 */
import { fork } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { runtime, SparseAutoencoder } from '../lib/index.js'
import { type TrainingCase, trainingCases } from './cases/cases.js'
import { digits } from './measuring/data.js'
import { environment } from './measuring/environment.js'
import { fitWindow, type WindowOptions } from './measuring/fit-window.js'
import { message } from './measuring/message.js'
import { ratios, type Summary, summary } from './measuring/statistics.js'

/** The two sum the same products in different orders: after 200 steps in float32 their costs differ by at most this. */
const MOST_RELATIVE_DIFFERENCE = 1e-4
const VERIFYING = { rows: 5_000, epochs: 10 }

const caseOf = (name: string): TrainingCase => trainingCases.find((one) => one.name === name)!
const names = ['digits', 'digits1k']
const sourceBinary = fileURLToPath(new URL('../build/Release/layerwise.node', import.meta.url))
const prebuiltBinary = fileURLToPath(
  new URL('../build-prebuilt/linux-x64-gnu/layerwise.linux-x64-gnu.node', import.meta.url),
)

/** The first message of a process. */
interface Started {
  readonly openblas: string
  readonly kernel: string
  readonly vectors: string
  /** Cost before training, and after. */
  readonly costs: readonly [number, number]
}

interface Result {
  readonly case: string
  readonly source: Started & { readonly samplesPerSecond: Summary }
  readonly prebuilt: Started & { readonly samplesPerSecond: Summary }
  /** The prebuilt addon's rate over the source build's, round by round. */
  readonly ratio: Summary
}

function modelOf({ inputs, hidden, target, weight, weightDecay }: TrainingCase): SparseAutoencoder {
  const sparsity = { kind: 'kl', target, weight, average: 'moving' } as const
  return new SparseAutoencoder({ inputs, hidden, sparsity, weightDecay, seed: 1 })
}

/** A process that trains one case: sends its description, then, for each received number of seconds, samples/s over that time. */
async function train(of: TrainingCase): Promise<void> {
  const { matrix } = await digits('float32')
  const { batchSize, learningRate } = of
  const model = modelOf(of)
  const { epochs } = await model.fit(matrix.slice(0, VERIFYING.rows), {
    batchSize: 250,
    epochs: VERIFYING.epochs,
    learningRate,
  })
  const { openblas, kernel, vectors } = runtime()
  const costs = [epochs[0]!.cost.total, epochs.at(-1)!.cost.total] as const
  process.send!({ openblas, kernel, vectors, costs } satisfies Started)
  const fit = (options: WindowOptions) => model.fit(matrix, { ...options, batchSize, learningRate })
  process.on('message', async (seconds: number) => {
    process.send!(await fitWindow(fit, matrix.rows, batchSize, seconds))
  })
}

async function compare(of: TrainingCase, prebuilt: string, rounds: number, seconds: number): Promise<Result> {
  const start = (binary: string) =>
    fork(fileURLToPath(import.meta.url), ['--train', of.name], {
      env: { ...process.env, LAYERWISE_BINARY: binary },
    })
  const children = [start(sourceBinary), start(prebuilt)] as const
  try {
    const started = [await message<Started>(children[0]), await message<Started>(children[1])] as const
    checkCosts(of, started)
    const rates = [[], []] as [number[], number[]]
    for (let round = 0; round < rounds; round++) {
      for (const which of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
        children[which].send(seconds)
        rates[which].push(await message<number>(children[which]))
      }
    }
    return {
      case: of.name,
      source: { ...started[0], samplesPerSecond: summary(rates[0]) },
      prebuilt: { ...started[1], samplesPerSecond: summary(rates[1]) },
      ratio: summary(ratios(rates[1], rates[0])),
    }
  } finally {
    for (const child of children) child.kill()
  }
}

/** @throws Error unless both learn, and to the same cost */
function checkCosts({ name }: TrainingCase, [source, prebuilt]: readonly [Started, Started]): void {
  for (const { costs } of [source, prebuilt]) {
    if (!(costs[1] < costs[0])) throw new Error(`${name}: the cost went from ${costs[0]} to ${costs[1]}`)
  }
  const difference = Math.abs(prebuilt.costs[1] / source.costs[1] - 1)
  if (!(difference <= MOST_RELATIVE_DIFFERENCE)) {
    throw new Error(`${name}: costs ${source.costs[1]} and ${prebuilt.costs[1]} differ by ${difference}`)
  }
}

function text({ case: name, source, prebuilt, ratio }: Result): string {
  const rate = ({ samplesPerSecond, openblas, kernel, vectors }: Result['source']) =>
    `${Math.round(samplesPerSecond.median)} samples/s (OpenBLAS ${openblas} ${kernel}, ${vectors})`
  const [least, greatest] = ratio.range.map((value) => value.toFixed(3))
  return `${name}: prebuilt ${rate(prebuilt)}, source build ${rate(source)}: ${ratio.median.toFixed(3)} (${least} to ${greatest})`
}

const { values } = parseArgs({
  options: {
    binary: { type: 'string', default: prebuiltBinary },
    seconds: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '7' },
    json: { type: 'boolean', default: false },
    train: { type: 'string' },
  },
})
if (values.train !== undefined) {
  await train(caseOf(values.train))
} else {
  if (!existsSync(values.binary))
    throw new Error(`${values.binary} is missing: npm run prebuild -- linux-x64-gnu`)
  const [rounds, seconds] = [Number(values.rounds), Number(values.seconds)]
  if (!(Number.isInteger(rounds) && rounds > 0)) throw new Error('--rounds: expected a whole number above 0')
  if (!(seconds > 0 && Number.isFinite(seconds))) throw new Error('--seconds: expected a number above 0')
  const results: Result[] = []
  for (const name of names) {
    results.push(await compare(caseOf(name), values.binary, rounds, seconds))
    if (!values.json) console.log(text(results.at(-1)!))
  }
  if (values.json)
    console.log(JSON.stringify({ environment: environment(), rounds, seconds, results }, null, 2))
}

import { type ChildProcess, type ChildProcessByStdio, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'
import { fileURLToPath } from 'node:url'
import type { Activation, Average } from '../../lib/index.js'
import type { BenchRows } from './data.js'

const builder = fileURLToPath(new URL('../../scripts/build-native.mjs', import.meta.url))
const built = fileURLToPath(new URL('../../build/', import.meta.url))

/** `phases`: with a clock around every phase of a step, which the other does without. */
export type LimitsProgram = 'layerwise_limits' | 'layerwise_phases'

/** A program without Node that `bench/native/` holds. */
export type BenchProgram = LimitsProgram | 'layerwise_products'

/** Where a program lies once it is built. */
export function pathOf(program: BenchProgram): string {
  return `${built}${program}`
}

/** The phases of `layerwise_phases`, in its order. */
export const PHASES = [
  'gather rows',
  'forward products',
  'activations',
  'output, loss and delta',
  'backward products',
  'hidden deltas',
  'gradient products',
  'decay and update',
] as const

/** Dense layers in training by Adam at a constant rate. */
export interface Training {
  readonly layers: readonly { inputs: number; outputs: number; activation: Activation | 'softmax' }[]
  readonly objective: {
    readonly loss: 'squared' | 'logLoss'
    /** λ of every layer. */
    readonly weightDecay: number
    /** KL on the mean of the first layer: ρ and β. */
    readonly penalty?: { readonly average: Average; readonly target: number; readonly weight: number }
  }
  /** As many as there are rows, for steps over all of them. */
  readonly batchSize: number
  readonly learningRate: number
}

/** Builds the program beside the addon, of the same compiled files; the output goes to standard error. */
export function buildProgram(program: BenchProgram = 'layerwise_limits'): void {
  const { status, error } = spawnSync(process.execPath, [builder, `--program=${program}`], {
    stdio: ['ignore', 2, 2],
  })
  if (error) throw error
  if (status !== 0) throw new Error(`building ${program}: exit status ${status}`)
}

/** The program that measures the limits of training: see `bench/native/limits.cc`. It handles one request at a time. */
export class Limits {
  readonly #program: LimitsProgram
  /** Measures the limit where OPENBLAS_CORETYPE names a kernel: what the machine can do does not depend on that. */
  #best: Limits | undefined
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>

  /** @param kernel - `best`: the best one of OpenBLAS that runs here; `same`: the one that the package uses in this process */
  constructor(program: LimitsProgram = 'layerwise_limits', kernel: 'same' | 'best' = 'same') {
    this.#program = program
    const env: NodeJS.ProcessEnv = { ...process.env, OPENBLAS_NUM_THREADS: '1' }
    if (kernel === 'best') delete env.OPENBLAS_CORETYPE
    this.#child = spawn(pathOf(program), { env, stdio: ['pipe', 'pipe', 'inherit'] })
    this.#lines = createInterface({ input: this.#child.stdout })
    this.#answers = this.#lines[Symbol.asyncIterator]()
  }

  get process(): ChildProcess {
    return this.#child
  }

  /** OpenBLAS's version and kernel, and the vector level. */
  async describe(): Promise<string> {
    return this.#ask('describe')
  }

  /** Makes a training on these rows the subject of what follows; returns the flops of one step's products. */
  async open(training: Training, { rows, data }: BenchRows['matrix']): Promise<number> {
    const { layers, objective, batchSize, learningRate } = training
    const { loss, weightDecay, penalty } = objective
    const pull = penalty ? [penalty.average, penalty.target, penalty.weight] : ['none']
    const shape = layers.flatMap(({ activation, outputs }) => [activation, outputs])
    const step = [batchSize, learningRate, loss === 'logLoss' ? 'log_loss' : loss, weightDecay]
    const folder = mkdtempSync(join(tmpdir(), 'layerwise-bench-'))
    try {
      const file = join(folder, 'rows')
      writeFileSync(file, data)
      await this.#ask(`rows ${rows} ${data instanceof Uint8Array ? 'uint8' : 'float32'} ${file}`)
      return await this.#number('open', ...step, ...pull, layers[0]!.inputs, ...shape)
    } finally {
      rmSync(folder, { recursive: true })
    }
  }

  /** The threads that training uses of those it is offered. */
  async threads(offered: number): Promise<number> {
    return this.#number('threads', offered)
  }

  /** GFLOP/s of sgemm on 2048 × 2048 × 2048, by the best kernel of OpenBLAS that runs here. */
  async limit(threads: number, seconds: number): Promise<number> {
    if (process.env.OPENBLAS_CORETYPE) {
      this.#best ??= new Limits(this.#program, 'best')
      return this.#best.#number('limit', threads, seconds)
    }
    return this.#number('limit', threads, seconds)
  }

  /** GFLOP/s of the products of training steps alone. */
  async plan(threads: number, seconds: number): Promise<number> {
    return this.#number('plan', threads, seconds)
  }

  /** The same in a cut for this number of threads, with these numbers of row blocks, and tiles of a layer, for each thread. */
  async cut(threads: number, seconds: number, blocks: number, tiles: number): Promise<number> {
    return this.#number('cut', threads, seconds, blocks, tiles)
  }

  /** GB/s at which one thread reads this many bytes repeatedly. */
  async read(bytes: number, seconds: number): Promise<number> {
    return this.#number('read', bytes, seconds)
  }

  /** Trains until the program is killed; prints the processed rows, one line ten times a second. It accepts no more requests. */
  stream(threads: number): AsyncIterable<string> {
    this.#child.stdin.write(`stream ${threads}\n`)
    return { [Symbol.asyncIterator]: () => this.#answers }
  }

  /** Microseconds of a step, and of each of `PHASES` in it, on all threads together. `layerwise_phases` only. */
  async phases(threads: number, seconds: number): Promise<{ step: number; phases: readonly number[] }> {
    const answer = (await this.#ask(`phases ${threads} ${seconds}`)).split(' ').map(Number)
    const [step = Number.NaN, ...phases] = answer
    if (phases.length !== PHASES.length || !answer.every(Number.isFinite)) {
      throw new Error(`layerwise_phases: expected ${1 + PHASES.length} numbers, got ${answer.join(' ')}`)
    }
    return { step, phases }
  }

  close(): void {
    this.#best?.close()
    this.#child.stdin.end()
    this.#lines.close()
  }

  async #number(...question: (string | number)[]): Promise<number> {
    const line = question.join(' ')
    const answer = Number(await this.#ask(line))
    if (!Number.isFinite(answer)) throw new Error(`layerwise_limits: "${line}" gave no number`)
    return answer
  }

  async #ask(line: string): Promise<string> {
    this.#child.stdin.write(`${line}\n`)
    const { value, done } = await this.#answers.next()
    if (done) throw new Error(`layerwise_limits ended at "${line}"`)
    if (value.startsWith('error ')) throw new Error(`layerwise_limits: "${line}": ${value.slice(6)}`)
    return value
  }
}

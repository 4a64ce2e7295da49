import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { TrainingCase } from './cases.js'
import { type BenchRows, rowsOf, type Storage } from './data.js'
import { Limits } from './limits.js'
import { allThreads, hold, otherThreads } from './processors.js'
import { ratios, type Summary, summary } from './statistics.js'
import { type Effort, trainingOf } from './training.js'

/** What training from Node costs: `fit` against the same core in a C++ program. */
export interface CrossingResult {
  readonly used: number
  readonly starts: number
  readonly rounds: number
  readonly windowSeconds: number
  /** Samples/s of `fit`, and of the C++ program: of the mean of two. */
  readonly fit: Summary
  readonly native: Summary
  readonly share: Summary
  /** The C++ program that was started before `fit` against the one that was started after it. */
  readonly nativeTwice: Summary
}

/** Programs are started anew so often: where their memory lies makes a few hundredths of their speed, for as long as they live. */
const STARTS = 5
const ROUNDS = 4

/** A process that waits for a window, and its threads that compute. */
interface Trainer {
  rate(seconds: number): Promise<number>
  threads(): readonly number[]
  close(): void
}

/** Takes a Node process between two copies of the C++ program, all three on the same rows, in turns. */
export async function measureCrossing(
  of: TrainingCase,
  storage: Storage,
  { seconds, threads }: Effort,
): Promise<CrossingResult> {
  const { matrix } = await rowsOf(of, storage)
  const windowSeconds = seconds / (STARTS * ROUNDS * 3)
  const rates = { before: [] as number[], fit: [] as number[], after: [] as number[] }
  let used = threads
  for (let start = 0; start < STARTS; start++) {
    const trainers: Trainer[] = []
    try {
      const before = await startNative(of, matrix, threads)
      trainers.push(before)
      used = before.used
      trainers.push(await startFit(of, storage, threads))
      trainers.push(await startNative(of, matrix, threads))
      for (const trainer of trainers) await trainer.rate(windowSeconds / 2)
      for (let round = 0; round < ROUNDS; round++) {
        // Two processors of a virtual machine may differ by a quarter for seconds.
        if (used === 1) for (const trainer of trainers) hold(trainer.threads(), start * ROUNDS + round)
        const turns = (['before', 'fit', 'after'] as const).map((name, i) => ({
          name,
          trainer: trainers[i]!,
        }))
        for (const { name, trainer } of round % 2 === 0 ? turns : turns.toReversed()) {
          rates[name].push(await trainer.rate(windowSeconds))
        }
      }
    } finally {
      for (const trainer of trainers) trainer.close()
    }
  }
  const native = rates.before.map((rate, i) => (rate + rates.after[i]!) / 2)
  return {
    used,
    starts: STARTS,
    rounds: ROUNDS,
    windowSeconds,
    fit: summary(rates.fit),
    native: summary(native),
    share: summary(ratios(rates.fit, native)),
    nativeTwice: summary(ratios(rates.before, rates.after)),
  }
}

async function startNative(
  of: TrainingCase,
  matrix: BenchRows['matrix'],
  threads: number,
): Promise<Trainer & { used: number }> {
  const limits = new Limits()
  try {
    await limits.open(trainingOf(of), matrix)
    return {
      used: await limits.threads(threads),
      rate: (seconds) => limits.train(threads, seconds),
      threads: () => allThreads(limits.pid),
      close: () => limits.close(),
    }
  } catch (error) {
    limits.close()
    throw error
  }
}

/** What `crossing-fit.ts` is to do, as its argument. */
export interface FitRequest {
  readonly of: TrainingCase
  readonly storage: Storage
  readonly threads: number
}

async function startFit(of: TrainingCase, storage: Storage, threads: number): Promise<Trainer> {
  const script = fileURLToPath(new URL('./crossing-fit.ts', import.meta.url))
  const request: FitRequest = { of, storage, threads }
  const child = fork(script, [JSON.stringify(request)], { stdio: ['ignore', 2, 2, 'ipc'] })
  await answer(child)
  return {
    rate: (seconds) => {
      child.send(seconds)
      return answer(child)
    },
    // JavaScript's own may run where it likes, as it does for users.
    threads: () => otherThreads(child.pid!),
    close: () => child.disconnect(),
  }
}

async function answer(child: ChildProcess): Promise<number> {
  const gone = new AbortController()
  const ended = () => gone.abort(new Error('the process that trains from Node ended'))
  child.once('exit', ended)
  try {
    const [rate] = (await once(child, 'message', { signal: gone.signal })) as [number]
    return rate
  } catch (error) {
    throw gone.signal.aborted ? gone.signal.reason : error
  } finally {
    child.off('exit', ended)
  }
}

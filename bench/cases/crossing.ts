import { fork } from 'node:child_process'
import { createInterface } from 'node:readline'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { type BenchRows, rowsOf, type Storage } from '../measuring/data.js'
import { Limits } from '../measuring/limits.js'
import { allThreads, hold, otherThreads } from '../measuring/processors.js'
import { ratios, type Summary, summary } from '../measuring/statistics.js'
import { TakingTurns } from '../measuring/taking-turns.js'
import { trainingOf } from './autoencoder.js'
import type { Effort, TrainingCase } from './cases.js'

/** What training from Node costs: `fit` against the same core in a C++ program. */
export interface CrossingResult {
  readonly used: number
  readonly starts: number
  /** That each program had, at every start. */
  readonly turns: number
  /** Samples/s of `fit`, and of the C++ program: of the mean of two. One number for each start. */
  readonly fit: Summary
  readonly native: Summary
  readonly share: Summary
  /** The C++ program that was started before `fit` against the one that was started after it. */
  readonly nativeTwice: Summary
}

/** Number of starts of the programs: the placement of a program's memory changes its speed by a few percent for its whole life. */
const STARTS = 6
const TURN_SECONDS = 0.8

/** Takes a Node process between two copies of the C++ program, all three in endless trainings on the same rows. */
export async function measureCrossing(
  of: TrainingCase,
  storage: Storage,
  { seconds, threads }: Effort,
): Promise<CrossingResult> {
  const { matrix } = await rowsOf(of, storage)
  const turnsInAll = Math.max(2, seconds / (3 * TURN_SECONDS))
  const starts = Math.min(STARTS, Math.floor(turnsInAll / 2))
  const turns = Math.round(turnsInAll / starts)
  const rates = { before: [] as number[], fit: [] as number[], after: [] as number[] }
  let used = threads
  for (let start = 0; start < starts; start++) {
    const programs: TakingTurns[] = []
    try {
      const before = await startNative(of, matrix, threads)
      used = before.used
      programs.push(before.program)
      programs.push(await startFit(of, storage, threads))
      programs.push((await startNative(of, matrix, threads)).program)
      for (let turn = 0; turn < turns; turn++) {
        // Two processors of a virtual machine may differ by a quarter for seconds.
        if (used === 1) for (const program of programs) hold(program.threads(), start + turn)
        for (const program of turn % 2 === 0 ? programs : programs.toReversed()) {
          program.go()
          await setTimeout(1000 * TURN_SECONDS)
          program.stop()
        }
      }
      rates.before.push(programs[0]!.rate())
      rates.fit.push(programs[1]!.rate())
      rates.after.push(programs[2]!.rate())
    } finally {
      for (const program of programs) program.close()
    }
  }
  const native = rates.before.map((rate, i) => (rate + rates.after[i]!) / 2)
  return {
    used,
    starts,
    turns,
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
): Promise<{ program: TakingTurns; used: number }> {
  const limits = new Limits()
  try {
    await limits.open(trainingOf(of), matrix)
    const used = await limits.threads(threads)
    const program = new TakingTurns(limits.process, limits.stream(threads), allThreads)
    await program.warm()
    return { program, used }
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

async function startFit(of: TrainingCase, storage: Storage, threads: number): Promise<TakingTurns> {
  const script = fileURLToPath(new URL('./crossing-fit.ts', import.meta.url))
  const request: FitRequest = { of, storage, threads }
  const child = fork(script, [JSON.stringify(request)], { stdio: ['ignore', 'pipe', 2, 'ipc'] })
  const lines = createInterface({ input: child.stdout! })
  // JavaScript's own thread is not pinned, as for users.
  const program = new TakingTurns(child, lines, otherThreads)
  await program.warm()
  return program
}

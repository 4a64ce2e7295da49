import { rowsOf, type Storage } from '../measuring/data.js'
import { buildProgram, Limits, PHASES } from '../measuring/limits.js'
import { trainingOf } from './autoencoder.js'
import { type TrainingCase, trainingCases } from './cases.js'

/** One number of threads. */
export interface PhasesOfThreads {
  readonly threads: number
  readonly microsecondsPerStep: number
  /** Of each phase, on all threads together; the rest of threads × step is serial code, and waiting. */
  readonly phases: Readonly<Record<(typeof PHASES)[number], number>>
}

export interface PhasesResult {
  readonly case: TrainingCase
  readonly seconds: number
  readonly byThreads: readonly PhasesOfThreads[]
}

/** The time of each phase of a step, of the training in C++, on one thread and on the most threads. */
export async function measurePhases(
  names: readonly string[],
  storage: Storage,
  { seconds, threads: most }: { readonly seconds: number; readonly threads: number },
): Promise<PhasesResult[]> {
  buildProgram('layerwise_phases')
  const results: PhasesResult[] = []
  for (const of of trainingCases.filter(({ name }) => names.includes(name))) {
    const program = new Limits('layerwise_phases')
    try {
      const { matrix } = await rowsOf(of, storage)
      await program.open(trainingOf(of), matrix)
      const used = new Set([await program.threads(1), await program.threads(most)])
      const byThreads: PhasesOfThreads[] = []
      for (const threads of used) {
        const { step, phases } = await program.phases(threads, seconds / used.size)
        const named = Object.fromEntries(PHASES.map((name, i) => [name, phases[i]!]))
        byThreads.push({
          threads,
          microsecondsPerStep: step,
          phases: named as Record<(typeof PHASES)[number], number>,
        })
      }
      results.push({ case: of, seconds, byThreads })
    } finally {
      program.close()
    }
  }
  return results
}

/** A table: microseconds of all threads together a step, and the share of their time. */
export function phasesText({ case: of, byThreads }: PhasesResult): string {
  const title = `${of.name}: microseconds of all threads together a step, and the share of their time`
  const head = ['', ...byThreads.map(({ threads }) => (threads === 1 ? '1 thread' : `${threads} threads`))]
  const rows = [...PHASES, 'serial, waiting', 'in all'].map((name) => [
    name,
    ...byThreads.map((one) => cell(one, name)),
  ])
  const lines = [head, ...rows].map((cells) =>
    `  ${cells.map((text, i) => (i === 0 ? text.padEnd(26) : text.padStart(18))).join('')}`.trimEnd(),
  )
  return [title, ...lines].join('\n')
}

function cell({ threads, microsecondsPerStep, phases }: PhasesOfThreads, name: string): string {
  const all = threads * microsecondsPerStep
  const known = Object.values(phases).reduce((sum, value) => sum + value, 0)
  const rest = name === 'in all' ? all : all - known
  const value = name in phases ? phases[name as keyof typeof phases] : rest
  return `${value.toFixed(1)} ${((100 * value) / all).toFixed(1).padStart(6)}%`
}

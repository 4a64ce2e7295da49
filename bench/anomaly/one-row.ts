import { performance } from 'node:perf_hooks'
import { AnomalyDetector, Matrix, type TrainedOn } from '../../lib/index.js'

const COLUMNS = 30
/** Short windows, of which some are not disturbed by other processes. */
const [WINDOWS, CALLS] = [200, 100]

/** Microseconds of `scoreSync` and `explain` for one row of 30 columns: the fastest of many short windows. */
export async function scoreOfOneRow(): Promise<string> {
  const said: string[] = []
  for (const trainedOn of ['mixed', 'clean'] satisfies TrainedOn[]) {
    const rows = Matrix.from(Float64Array.from({ length: 1000 * COLUMNS }, randomFrom(1)), 1000, COLUMNS)
    const detector = new AnomalyDetector({ trainedOn })
    await detector.fit(rows, { threads: 1 })
    const row = rows.data.slice(0, COLUMNS)
    const scoring = fastest(() => detector.scoreSync(row))
    const explaining = fastest(() => detector.explain(row))
    said.push(
      `one row of ${COLUMNS} columns, ${trainedOn}: scoreSync ${scoring.toFixed(1)} µs, explain ${explaining.toFixed(1)} µs`,
    )
  }
  return said.join('\n')
}

function fastest(call: () => unknown): number {
  let least = Infinity
  for (let window = 0; window < WINDOWS; window++) {
    const start = performance.now()
    for (let k = 0; k < CALLS; k++) call()
    least = Math.min(least, ((performance.now() - start) * 1000) / CALLS)
  }
  return least
}

/** Numbers from 0 to 1, the same at each run. */
function randomFrom(seed: number): () => number {
  let state = seed
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
}

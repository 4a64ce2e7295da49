import { SparseAutoencoder } from '../../lib/index.js'
import { digits, type Storage } from '../measuring/data.js'
import { quantile, type Summary, summary } from '../measuring/statistics.js'
import { type Effort, encodeCase } from './cases.js'
import { ROUNDS } from './training.js'
import { verifyEncoding } from './verify.js'

/** `encodeSync` of single rows, in microseconds a call, on the calling thread. */
export interface EncodeResult {
  readonly kind: 'encode'
  readonly data: { readonly source: string; readonly storage: Storage }
  readonly rounds: number
  readonly windowSeconds: number
  readonly shapes: readonly {
    readonly inputs: number
    readonly hidden: number
    /** The largest distance of an activation from the oracle's. */
    readonly verified: number
    readonly calls: number
    /** Half of a round's calls, and 99 in 100, take at most so long. */
    readonly p50: Summary
    readonly p99: Summary
  }[]
}

/** As many rows as take turns: more than fit a core's caches would measure memory. */
const ROWS = 200
const MOST_CALLS = 1_000_000

export async function measureEncoding(storage: Storage, { seconds }: Effort): Promise<EncodeResult> {
  const { source, matrix } = await digits(storage)
  const rows = Array.from({ length: ROWS }, (_, i) => matrix.slice(i, i + 1))
  const subjects = encodeCase.shapes.map(({ inputs, hidden }) => {
    const model = new SparseAutoencoder({ inputs, hidden })
    const verified = verifyEncoding(model, matrix)
    const out = new Float32Array(hidden)
    const encode = (i: number) => model.encodeSync(rows[i % ROWS]!, out)
    return { inputs, hidden, verified, encode, calls: 0, p50: [] as number[], p99: [] as number[] }
  })
  const windowSeconds = seconds / (ROUNDS * subjects.length)
  const times = new Float64Array(MOST_CALLS)
  for (let round = 0; round < ROUNDS; round++) {
    for (const subject of round % 2 === 0 ? subjects : subjects.toReversed()) {
      for (let i = 0; i < ROWS; i++) subject.encode(i)
      const calls = timeCalls(subject.encode, windowSeconds, times)
      subject.calls += calls
      subject.p50.push(quantile(times.subarray(0, calls), 0.5))
      subject.p99.push(quantile(times.subarray(0, calls), 0.99))
    }
  }
  return {
    kind: 'encode',
    data: { source, storage },
    rounds: ROUNDS,
    windowSeconds,
    shapes: subjects.map(({ inputs, hidden, verified, calls, p50, p99 }) => {
      return { inputs, hidden, verified, calls, p50: summary(p50, 'less'), p99: summary(p99, 'less') }
    }),
  }
}

/** Microseconds of each call, into `times`; returns how many. */
function timeCalls(call: (i: number) => unknown, seconds: number, times: Float64Array): number {
  const end = performance.now() + 1000 * seconds
  let calls = 0
  for (let now = performance.now(); now < end && calls < times.length; calls++) {
    call(calls)
    const after = performance.now()
    times[calls] = 1000 * (after - now)
    now = after
  }
  return calls
}

import { openSync, readSync } from 'node:fs'
import { type PerformanceEntry, PerformanceObserver } from 'node:perf_hooks'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { Samples } from './samples.js'

/** A turn of the event loop: when it was, and the processor time that it took, in milliseconds. */
export interface Turn {
  readonly start: number
  readonly end: number
  readonly ms: number
}

/** When garbage was collected, in milliseconds. */
type Span = Pick<PerformanceEntry, 'startTime' | 'duration'>

/** Turns that are shorter are not looked at again. */
const SHORT_MS = 1

/** What was seen while a call ran, in milliseconds. */
export interface LongestTurn {
  /** Of its longest turn. */
  readonly longest: number
  /** The same without collections of garbage. */
  readonly own: number
  /** Of the whole call. */
  readonly whole: number
  /** Where the time of that turn went, in lines, if it was asked for. */
  readonly where: readonly string[]
}

/**
 * The longest turn while `call` runs. Garbage that was there before is collected before, where Node lets us (`--expose-gc`).
 *
 * @param sampled - whether to take samples of what runs, which slows it
 */
export async function longestTurn(call: () => Promise<unknown>, sampled = false): Promise<LongestTurn> {
  const turns: Turn[] = []
  const collections: PerformanceEntry[] = []
  const observer = new PerformanceObserver((list) => collections.push(...list.getEntries()))
  observer.observe({ entryTypes: ['gc'] })
  globalThis.gc?.()
  const samples = sampled ? await Samples.begin() : undefined
  let running = true
  const watch = async () => {
    while (running) {
      const [start, before] = [performance.now(), spent()]
      await setImmediate()
      const ms = spent() - before
      if (ms > SHORT_MS) turns.push({ start, end: performance.now(), ms })
    }
  }
  const start = performance.now()
  const watched = watch()
  const called = call()
  await called.finally(() => {
    running = false
  })
  await watched
  const whole = performance.now() - start
  // Collections are told of later.
  await setTimeout(20)
  observer.disconnect()
  const ownOf = (turn: Turn) => ownTime(turn, collections)
  const own = turns.toSorted((a, b) => ownOf(b) - ownOf(a))[0]
  return {
    longest: turns.reduce((most, { ms }) => Math.max(most, ms), 0),
    own: own === undefined ? 0 : ownOf(own),
    whole,
    where: own === undefined ? [] : ((await samples?.within(own)) ?? []),
  }
}

/**
 * How long a turn was without collections of garbage, in milliseconds, at most: its processor time, or its time by the clock without them.
 * Collections are told by the clock, and wait for threads of their own: taken from processor time they would leave too little.
 */
export function ownTime(turn: Turn, collections: readonly Span[]): number {
  return Math.max(0, Math.min(turn.ms, turn.end - turn.start - collected(turn, collections)))
}

/** How long garbage was collected in a turn, in milliseconds. */
function collected({ start, end }: Turn, collections: readonly Span[]): number {
  return collections.reduce((sum, { startTime, duration }) => {
    return sum + Math.max(0, Math.min(end, startTime + duration) - Math.max(start, startTime))
  }, 0)
}

/** What Linux says of this thread: nanoseconds on a processor, and more. Undefined on other systems. */
const STATISTICS = openStatistics()
const line = Buffer.alloc(80)

function openStatistics(): number | undefined {
  try {
    return openSync('/proc/thread-self/schedstat', 'r')
  } catch {
    return undefined
  }
}

/**
 * Processor milliseconds of this thread so far, accurate to some microseconds, where the system has them: time of other processes on a busy
 * machine is not counted. Elsewhere the wall clock.
 */
function spent(): number {
  if (STATISTICS === undefined) return performance.now()
  // Otherwise what the thread used since the last tick of the system's clock, up to 4 ms, would be missing: Linux adds it where the time of
  // the whole process is asked for.
  process.cpuUsage()
  const length = readSync(STATISTICS, line, 0, line.length, 0)
  return Number(line.toString('latin1', 0, length).split(' ', 1)[0]) / 1e6
}

import { type Profiler, Session } from 'node:inspector/promises'

/** Microseconds between two samples. */
const INTERVAL = 100

/** Samples of what this thread runs, by V8's profiler. */
export class Samples {
  readonly #session: Session

  private constructor(session: Session) {
    this.#session = session
  }

  static async begin(): Promise<Samples> {
    const session = new Session()
    session.connect()
    await session.post('Profiler.enable')
    await session.post('Profiler.setSamplingInterval', { interval: INTERVAL })
    await session.post('Profiler.start')
    return new Samples(session)
  }

  /**
   * Ends the sampling.
   *
   * @param span - two times of `performance.now()`
   * @returns milliseconds and place of the functions of the library that ran between, with what they called, the longest first
   */
  async within({ start, end }: { start: number; end: number }): Promise<string[]> {
    const now = performance.now()
    const clock = Number(process.hrtime.bigint() / 1000n)
    const { profile } = await this.#session.post('Profiler.stop')
    this.#session.disconnect()
    const [from, to] = [start, end].map((time) => clock + (time - now) * 1000) as [number, number]
    const taken = new Map<string, number>()
    const names = namesOf(profile)
    let time = profile.startTime
    for (const [k, id] of (profile.samples ?? []).entries()) {
      const took = profile.timeDeltas?.[k] ?? 0
      time += took
      if (time < from || time > to) continue
      const name = names.get(id)!
      taken.set(name, (taken.get(name) ?? 0) + took / 1000)
    }
    const sorted = [...taken].sort(([, a], [, b]) => b - a)
    return sorted.map(([name, ms]) => `${ms.toFixed(1)} ms ${name}`)
  }
}

/** Of each node of the tree of calls: its function, and the two that are nearest to it among its callers. */
function namesOf({ nodes }: Profiler.Profile): Map<number, string> {
  const names = new Map<number, string>()
  const visit = (id: number, callers: readonly string[]): void => {
    const { callFrame, children } = byId.get(id)!
    const file = callFrame.url.split('/').slice(-2).join('/')
    const own = `${callFrame.functionName || '(anonymous)'}${file ? ` ${file}:${callFrame.lineNumber + 1}` : ''}`
    const path = [own, ...callers.slice(0, 2)]
    names.set(id, path.join(' < '))
    for (const child of children ?? []) visit(child, path)
  }
  const byId = new Map(nodes.map((node) => [node.id, node]))
  visit(nodes[0]!.id, [])
  return names
}

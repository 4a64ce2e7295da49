import { openSync, readFileSync, writeSync } from 'node:fs'
import { type Child, endsWell } from './child.js'

/** A file that is read for this long, in milliseconds, is never read to its end. */
const HANGS_MS = 60_000

/** Bytes before an input: its number and its length. */
const HEAD = 32

/** Where a child says which input it is at: what is there after its end is the input that ended it. */
export class Progress {
  readonly #path: string
  #file: number | undefined

  constructor(path: string) {
    this.#path = path
  }

  /** Says that an input is next. */
  at(number: number, input: Uint8Array): void {
    this.#file ??= openSync(this.#path, 'w')
    writeSync(this.#file, `${number} ${input.length}`.padEnd(HEAD), 0)
    writeSync(this.#file, input, 0, input.length, HEAD)
  }

  /** The number of the present input, and its bytes; undefined before the first. */
  get present(): { number: string; input: Buffer } | undefined {
    try {
      const bytes = readFileSync(this.#path)
      const [number, length] = bytes.toString('latin1', 0, HEAD).split(' ')
      if (number === undefined || number === '') return undefined
      return { number, input: bytes.subarray(HEAD, HEAD + Number(length)) }
    } catch {
      return undefined
    }
  }
}

/**
 * Waits for the end of a child, which must end well and in time: one that stays at an input is killed.
 *
 * @throws naming the number of the input that it was at
 */
export async function endsInTime(child: Child, progress: Progress): Promise<string> {
  const number = () => progress.present?.number ?? 'none'
  let last = { number: 'none', since: performance.now() }
  const watch = setInterval(() => {
    const now = number()
    if (now !== last.number) last = { number: now, since: performance.now() }
    else if (performance.now() - last.since > HANGS_MS) child.process.kill('SIGKILL')
  }, 500)
  try {
    return await endsWell(child)
  } catch (error) {
    throw new Error(`at input ${number()}: ${(error as Error).message}`, { cause: error })
  } finally {
    clearInterval(watch)
  }
}

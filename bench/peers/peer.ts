import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { createInterface, type Interface } from 'node:readline'
import type { Readable, Writable } from 'node:stream'

type Answer = Record<string, unknown>

/**
 * A peer in its own process, which handles requests in JSON, one per line: see `protocol.py`. Between requests it is stopped by a signal
 * with all its threads and children, so that none of them spins during the turns of others.
 */
export class Peer {
  readonly #name: string
  readonly #child: ChildProcessByStdio<Writable, Readable, null>
  readonly #lines: Interface
  readonly #answers: AsyncIterator<string>
  readonly #end = () => this.#signal('SIGKILL')

  private constructor(command: readonly string[], env: NodeJS.ProcessEnv) {
    const [program = '', ...args] = command
    this.#name = command.join(' ')
    this.#child = spawn(program, args, {
      env: { ...process.env, ...env },
      stdio: ['pipe', 'pipe', 'inherit'],
      detached: true,
    })
    this.#lines = createInterface({ input: this.#child.stdout })
    this.#answers = this.#lines[Symbol.asyncIterator]()
    process.once('exit', this.#end)
  }

  /** Also its first message: its versions. */
  static async start(
    command: readonly string[],
    threads: number,
    env: NodeJS.ProcessEnv = {},
  ): Promise<{ peer: Peer; versions: Answer }> {
    const limit = `${threads}`
    const limits = {
      OMP_NUM_THREADS: limit,
      MKL_NUM_THREADS: limit,
      OPENBLAS_NUM_THREADS: limit,
      // The variable that XLA reads.
      NPROC: limit,
    }
    const peer = new Peer(command, { ...limits, ...env })
    const versions = await peer.#answer('start')
    peer.#signal('SIGSTOP')
    return { peer, versions }
  }

  async ask<T>(what: string, question: Answer = {}): Promise<T> {
    this.#signal('SIGCONT')
    this.#child.stdin.write(`${JSON.stringify({ do: what, ...question })}\n`)
    const answer = await this.#answer(what)
    this.#signal('SIGSTOP')
    return answer as T
  }

  close(): void {
    process.removeListener('exit', this.#end)
    this.#end()
    this.#lines.close()
  }

  async #answer(to: string): Promise<Answer> {
    const { value, done } = await this.#answers.next()
    if (done) throw new Error(`${this.#name} ended at "${to}"`)
    return JSON.parse(value) as Answer
  }

  /** To its whole process group. */
  #signal(signal: NodeJS.Signals): void {
    const { pid, exitCode, signalCode } = this.#child
    if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, signal)
  }
}

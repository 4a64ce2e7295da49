import { type ChildProcess, fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { Work } from './sweeps.js'

export type Question = { readonly ask: 'open' } | { readonly ask: 'window'; readonly seconds: number }
export type Answer = { readonly value: number | undefined } | { readonly error: string }

const script = fileURLToPath(new URL('./point.ts', import.meta.url))

/** The process of one point. It idles between questions. */
export class Subject {
  readonly #child: ChildProcess
  readonly #name: string

  constructor(work: Work) {
    this.#name = `${work.kind} of ${work.rows} rows through ${work.widths.join('-')}`
    this.#child = fork(script, [JSON.stringify(work)], { stdio: ['ignore', 2, 2, 'ipc'] })
  }

  /** Creates rows and model and runs once; bytes of memory beyond the rows, if available. */
  open(): Promise<number | undefined> {
    return this.#ask({ ask: 'open' })
  }

  /** Seconds for a call or a sample, measured for this many seconds. */
  async window(seconds: number): Promise<number> {
    const value = await this.#ask({ ask: 'window', seconds })
    if (value === undefined) throw new Error(`${this.#name}: no time`)
    return value
  }

  close(): void {
    this.#child.disconnect()
  }

  #ask(question: Question): Promise<number | undefined> {
    const child = this.#child
    return new Promise((resolve, reject) => {
      const ended = () => reject(new Error(`${this.#name}: the process ended`))
      child.once('exit', ended)
      child.once('message', (message) => {
        child.off('exit', ended)
        const answer = message as Answer
        if ('error' in answer) reject(new Error(`${this.#name}: ${answer.error}`))
        else resolve(answer.value)
      })
      child.send(question)
    })
  }
}

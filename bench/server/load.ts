import { Agent, request } from 'node:http'
import { setTimeout } from 'node:timers/promises'

/** The results of a period of load. */
export interface LoadResult {
  /** Answers within the stretch, a second. */
  readonly rate: number
  /** Of the requests that were due, the share that was answered within the stretch. */
  readonly answered: number
  /** Milliseconds from when a request was due to its answer, one for each answer. */
  readonly waits: number[]
}

const CONNECTIONS = 8

/** Milliseconds after the period in which a late response still counts. */
const GRACE = 100

/** A client of one server: several connections, kept open. */
export class Load {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS })
  readonly #port: number
  readonly #body: Uint8Array

  constructor(port: number, body: Uint8Array) {
    this.#port = port
    this.#body = body
  }

  close(): void {
    this.#agent.destroy()
  }

  /** As fast as the server responds: each connection sends its next request when it has its response. */
  async saturate(seconds: number): Promise<LoadResult> {
    const end = performance.now() + 1000 * seconds
    const waits: number[] = []
    const connection = async () => {
      for (let due = performance.now(); due < end; due = performance.now()) {
        await this.#ask()
        const now = performance.now()
        if (now <= end) waits.push(now - due)
      }
    }
    await Promise.all(Array.from({ length: CONNECTIONS }, connection))
    return { rate: waits.length / seconds, answered: 1, waits }
  }

  /** At a fixed rate, whether the server keeps up or not. */
  async ask(rate: number, seconds: number): Promise<LoadResult> {
    const start = performance.now()
    const end = start + 1000 * seconds
    const waits: number[] = []
    const asked: Promise<void>[] = []
    for (let i = 0; ; i++) {
      const due = start + (1000 * i) / rate
      if (due >= end) break
      // Timers have a resolution of a millisecond: all requests due by then are sent together.
      if (due > performance.now()) await setTimeout(1)
      asked.push(
        this.#ask().then(() => {
          const now = performance.now()
          if (now <= end + GRACE) waits.push(now - due)
        }),
      )
    }
    await Promise.all(asked)
    return { rate: waits.length / seconds, answered: waits.length / asked.length, waits }
  }

  #ask(): Promise<void> {
    return new Promise((resolve, reject) => {
      const asked = request(
        { agent: this.#agent, host: '127.0.0.1', port: this.#port, method: 'POST', path: '/' },
        (response) => {
          response.resume()
          response.once('end', () =>
            response.statusCode === 200 ? resolve() : reject(new Error(`status ${response.statusCode}`)),
          )
        },
      )
      asked.once('error', reject)
      asked.end(this.#body)
    })
  }
}

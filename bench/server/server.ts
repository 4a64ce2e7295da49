import { figuresBeside } from './beside.js'
import type { Figure } from './figure.js'
import { figuresOfHttp } from './http.js'

/** Latency of a process while it trains. */
export interface ServerResult {
  readonly kind: 'server'
  readonly figures: readonly Figure[]
}

/** @param seconds - half for a server under load, half for calls within one process */
export async function measureServer({ seconds }: { seconds: number }): Promise<ServerResult> {
  return {
    kind: 'server',
    figures: [...(await figuresOfHttp(seconds / 2)), ...(await figuresBeside(seconds / 2))],
  }
}

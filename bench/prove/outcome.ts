import { resourceUsage } from 'node:process'
import { type ErrorCode, LayerwiseError } from '../../lib/index.js'
import { must } from './proof.js'

/** What one file may take: milliseconds, and MiB. No good file has a thousandth of it. */
const MOST_MS = 10_000
const MOST_MIB = 256

const peak = () => resourceUsage().maxRSS / 1024

/**
 * Reads a file that may be damaged.
 *
 * @param codes - with which it may be refused
 * @returns 'read', or the code with which it was refused
 * @throws for another error, and if it took too long or too much memory
 */
export async function outcomeOf(read: () => Promise<void>, codes: readonly ErrorCode[]): Promise<string> {
  const [start, memory] = [performance.now(), peak()]
  const outcome = await read().then(
    () => 'read',
    (error: unknown) => {
      must(error instanceof LayerwiseError, `it failed with ${(error as Error)?.stack}`)
      must(codes.includes(error.code), `its code is ${error.code}: ${error.message}`)
      return error.code
    },
  )
  const took = performance.now() - start
  must(took < MOST_MS, `it took ${took.toFixed(0)} ms`)
  const mebibytes = peak() - memory
  must(mebibytes < MOST_MIB, `it took ${mebibytes.toFixed(0)} MiB`)
  return outcome
}

/** How often there was each outcome, in words. */
export function told({ read = 0, ...refused }: Readonly<Record<string, number>>): string {
  return [`${read} read`, ...Object.entries(refused).map(([code, times]) => `${times} ${code}`)].join(', ')
}

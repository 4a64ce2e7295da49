/**
 * Runs all cases with the library of the checkout of this file, on the given number of threads, and sends its parent the versions and
 * kernels and the hashes of every case.
 */
import { createHash } from 'node:crypto'
import { configure, runtime } from '../../lib/index.js'
import { goldenCases, type Outcome } from './cases.js'

/** Hashes of what a case gives, or why it could not run. */
export type CaseHashes =
  | { readonly parameters: string; readonly codes: string; readonly costs: string }
  | { readonly failed: string }

export interface Hashed {
  readonly vectors: string
  readonly openblas: string
  readonly kernel: string
  readonly cases: Readonly<Record<string, CaseHashes>>
}

function hash(arrays: readonly ArrayBufferView[]): string {
  const sum = createHash('sha256')
  for (const { buffer, byteOffset, byteLength } of arrays)
    sum.update(new Uint8Array(buffer, byteOffset, byteLength))
  return sum.digest('hex').slice(0, 16)
}

function hashes({ parameters, codes, costs }: Outcome): CaseHashes {
  return { parameters: hash(parameters), codes: hash(codes), costs: hash([Float64Array.from(costs)]) }
}

configure({ threads: Number(process.argv[2]) })
const { vectors, openblas, kernel } = runtime()
const cases: Record<string, CaseHashes> = {}
for (const { name, run } of goldenCases) {
  try {
    cases[name] = hashes(await run())
  } catch (error) {
    cases[name] = { failed: (error as Error).message }
  }
}
process.send!({ vectors, openblas, kernel, cases } satisfies Hashed)
process.disconnect()

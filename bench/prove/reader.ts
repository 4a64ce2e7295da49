import { type ErrorCode, LayerwiseError } from '../../lib/index.js'
import type { RowRandom } from '../synthetic/random.js'
import { must } from './proof.js'

/** Something that reads what others may have written. */
export interface Reader {
  /** The package that it reads with, if it is none of ours. */
  readonly needs?: string
  /** Good files, in a folder that is there. */
  good(folder: string): Promise<Buffer[]>
  mutate(good: readonly Buffer[], random: RowRandom): Buffer
  /** Reads a file; fails if what it says is not right. */
  read(bytes: Buffer, folder: string): Promise<void>
  /** Codes with which it may be refused. */
  readonly codes: readonly ErrorCode[]
}

/** Reads plain data from JSON. What was read must be the same when it is written and read again. */
export const readsJson =
  (from: (value: unknown) => object): Reader['read'] =>
  async (bytes) => {
    let value: unknown
    try {
      value = JSON.parse(bytes.toString())
    } catch {
      throw new LayerwiseError('ERR_FORMAT', 'it is no JSON')
    }
    const text = JSON.stringify(from(value))
    must(JSON.stringify(from(JSON.parse(text))) === text, `it is another when it is read again: ${text}`)
  }

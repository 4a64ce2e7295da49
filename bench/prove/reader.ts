import type { ErrorCode } from '../../lib/index.js'
import type { RowRandom } from '../synthetic/random.js'

/** Something that reads what others may have written. */
export interface Reader {
  /** The package that it reads with, if it is none of ours. */
  readonly needs?: string
  /** Good files, in a folder that is there. */
  good(folder: string): Promise<Buffer[]>
  mutate(good: readonly Buffer[], random: RowRandom): Buffer | Promise<Buffer>
  /** Reads a file; fails if what it says is not right. */
  read(bytes: Buffer, folder: string): Promise<void>
  /** Codes with which it may be refused. */
  readonly codes: readonly ErrorCode[]
}

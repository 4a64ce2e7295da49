import type { ErrorCode } from '../../lib/index.js'
import type { RowRandom } from '../synthetic/random.js'

/** A reader of bytes in memory, some thousand times a second. */
export interface Target {
  /** The package that it reads with, if it is none of ours. */
  readonly needs?: string | undefined
  /** Inputs from good files; `folder` is there for files. */
  seeds(folder: string): Promise<Buffer[]>
  /** Another input of some; may fail for those that are no longer like good ones. */
  mutate(from: readonly Buffer[], random: RowRandom): Buffer
  /** Reads an input; fails if what it says is not right. */
  read(input: Buffer): Promise<void>
  /** Codes with which it may be refused. */
  readonly codes: readonly ErrorCode[]
}

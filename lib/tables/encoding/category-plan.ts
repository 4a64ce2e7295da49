import { shorten } from '../../base/show.js'
import type { Cell } from './cells.js'
import type { ColumnPlan, EncodedColumn, Surprise, TableValue } from './encoded-column.js'

/** What was found about a column of categories. */
export interface CategoryFit {
  readonly name: string
  /** Those with a column of their own, the most frequent first. */
  readonly categories: readonly string[]
  /** Whether some rows had other categories. */
  readonly hasOther: boolean
  /** Whether values are missing in some rows. */
  readonly hasMissing: boolean
}

/** One column for each frequent category, one for all others, and one for missing values, where some are missing. */
export class CategoryPlan implements ColumnPlan {
  readonly name: string
  readonly cells = 'text'
  readonly columns: readonly EncodedColumn[]
  readonly fit: CategoryFit
  readonly #places: ReadonlyMap<string, number>

  constructor(fit: CategoryFit) {
    const { name: column, categories, hasOther, hasMissing } = fit
    this.name = column
    this.fit = fit
    this.#places = new Map(categories.map((category, i) => [category, i]))
    const isConstant = categories.length + Number(hasOther) + Number(hasMissing) <= 1
    this.columns = isConstant
      ? []
      : [
          ...categories.map((category) => {
            return { name: `${column} = ${shorten(category)}`, column, kind: 'category' as const, category }
          }),
          { name: `${column} (other)`, column, kind: 'other' },
          ...(hasMissing ? [{ name: `${column} (missing)`, column, kind: 'missing' as const }] : []),
        ]
  }

  get reason(): string | undefined {
    if (this.columns.length > 0) return undefined
    const { categories, hasOther } = this.fit
    if (categories.length === 1) return `constant: '${shorten(categories[0]!)}'`
    return hasOther ? 'no category is frequent enough for a column of its own' : 'all values are missing'
  }

  encode(cell: Cell, out: { [index: number]: number }, at: number): Surprise | undefined {
    const { categories, hasOther, hasMissing } = this.fit
    const isEncoded = this.columns.length > 0
    if (cell === null) {
      if (hasMissing && isEncoded) out[at + categories.length + 1] = 1
      return hasMissing ? undefined : 'missing'
    }
    const place = this.#places.get(cell as string)
    if (isEncoded) out[at + (place ?? categories.length)] = 1
    if (place !== undefined || hasOther) return undefined
    return isEncoded ? 'unseen' : 'moved'
  }

  decode(codes: ArrayLike<number>, at: number): TableValue {
    const { categories } = this.fit
    if (this.columns.length === 0) return categories[0] ?? null
    let best = 0
    for (let i = 1; i < this.columns.length; i++) if (codes[at + i]! > codes[at + best]!) best = i
    return categories[best] ?? (best === categories.length ? OTHER : null)
  }

  toJSON(): object {
    return { kind: 'category', ...this.fit }
  }
}

/** What stands for all categories without a column of their own, where one is decoded. */
const OTHER = '(other)'

/** What was found about a column whose texts are hashed. */
export interface HashFit {
  readonly name: string
  readonly buckets: number
  /** Whether values are missing in some rows. */
  readonly hasMissing: boolean
}

/** A fixed number of columns, one of which is 1, and one for missing values, where some are missing. */
export class HashPlan implements ColumnPlan {
  readonly name: string
  readonly cells = 'text'
  readonly columns: readonly EncodedColumn[]
  readonly fit: HashFit

  constructor(fit: HashFit) {
    const { name: column, buckets, hasMissing } = fit
    this.name = column
    this.fit = fit
    this.columns = [
      ...Array.from({ length: buckets }, (_, i) => ({
        name: `${column} (bucket ${i})`,
        column,
        kind: 'bucket' as const,
      })),
      ...(hasMissing ? [{ name: `${column} (missing)`, column, kind: 'missing' as const }] : []),
    ]
  }

  encode(cell: Cell, out: { [index: number]: number }, at: number): Surprise | undefined {
    const { buckets, hasMissing } = this.fit
    if (cell !== null) out[at + (hashOf(cell as string) % buckets)] = 1
    else if (hasMissing) out[at + buckets] = 1
    else return 'missing'
    return undefined
  }

  decode(codes: ArrayLike<number>, at: number): TableValue {
    let best = 0
    for (let i = 1; i < this.columns.length; i++) if (codes[at + i]! > codes[at + best]!) best = i
    return best < this.fit.buckets ? `(bucket ${best})` : null
  }

  toJSON(): object {
    return { kind: 'hash', ...this.fit }
  }
}

/**
 * A hash of 32 bits of the code units of a text. Saved models depend on it: it never changes.
 *
 * Source: FNV-1a, and the finalizer of MurmurHash3, without which the lowest bits of short texts repeat.
 */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i)
    hash = Math.imul(hash ^ (unit & 0xff), 0x01000193)
    hash = Math.imul(hash ^ (unit >>> 8), 0x01000193)
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return (hash ^ (hash >>> 16)) >>> 0
}

import type { Cell } from './cells.js'
import type { ColumnPlan, EncodedColumn, Surprise, TableValue } from './encoded-column.js'

/** What was found about a column of truth values. */
export interface BooleanFit {
  readonly name: string
  /** The share of `true` among the values that are not missing; absent if all are missing. */
  readonly share?: number | undefined
  /** Whether values are missing in some rows, not in all. */
  readonly hasMissing: boolean
}

/** Truth values: 0 and 1, the share of `true` where a value is missing. */
export class BooleanPlan implements ColumnPlan {
  readonly name: string
  readonly cells = 'number'
  readonly columns: readonly EncodedColumn[]
  readonly fit: BooleanFit

  constructor(fit: BooleanFit) {
    const { name: column, hasMissing } = fit
    this.name = column
    this.fit = fit
    this.columns = [
      ...(isConstantShare(fit.share) ? [] : [{ name: column, column, kind: 'boolean' as const }]),
      ...(hasMissing ? [{ name: `${column} (missing)`, column, kind: 'missing' as const }] : []),
    ]
  }

  get reason(): string | undefined {
    if (this.columns.length > 0) return undefined
    const { share } = this.fit
    return share === undefined ? 'all values are missing' : `constant: ${share === 1}`
  }

  encode(cell: Cell, out: { [index: number]: number }, at: number): Surprise | undefined {
    const { share, hasMissing } = this.fit
    const isConstant = isConstantShare(share)
    const isMissing = Number.isNaN(cell)
    let to = at
    if (!isConstant) out[to++] = isMissing ? share! : (cell as number)
    if (hasMissing) out[to] = Number(isMissing)
    if (isMissing) return hasMissing || share === undefined ? undefined : 'missing'
    return isConstant && share !== cell ? 'moved' : undefined
  }

  decode(codes: ArrayLike<number>, at: number): TableValue {
    const { share, hasMissing } = this.fit
    if (share === undefined || (hasMissing && codes[at + this.columns.length - 1]! > 0.5)) return null
    return isConstantShare(share) ? share === 1 : codes[at]! > 0.5
  }

  toJSON(): object {
    return { kind: 'boolean', ...this.fit }
  }
}

function isConstantShare(share: number | undefined): boolean {
  return share === undefined || share === 0 || share === 1
}

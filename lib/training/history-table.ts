import { allocate } from '../base/precision.js'
import type { EpochRecord } from './history.js'

/** The numbers of a record, those of its members as `member.number`. */
const NUMBERS = [
  'epoch',
  ...parts('cost', ['total', 'loss', 'weightDecay', 'sparsity']),
  'accuracy',
  ...parts('validation', ['total', 'loss', 'weightDecay', 'sparsity', 'accuracy']),
  ...parts('meanActivation', ['min', 'mean', 'max']),
  ...['constraintViolation', 'gradientNorm', 'learningRate', 'seconds', 'samplesPerSecond', 'evaluations'],
]

function parts(member: string, names: readonly string[]): string[] {
  return names.map((name) => `${member}.${name}`)
}

/** Records as rows of numbers, in which NaN and infinities stay what they are. All records of a training have the same members. */
export interface HistoryTable {
  readonly columns: readonly string[]
  /** Row-major, a row an epoch. */
  readonly numbers: Float64Array
}

export function tableOf(records: readonly EpochRecord[]): HistoryTable {
  const [first] = records
  const columns = first === undefined ? [] : NUMBERS.filter((name) => numberOf(first, name) !== undefined)
  const numbers = allocate('float64', records.length * columns.length, 'history')
  let at = 0
  for (const record of records) for (const name of columns) numbers[at++] = numberOf(record, name)!
  return { columns, numbers }
}

/** The records of a table. A column that is not known is a TypeError. */
export function recordsOf({ columns, numbers }: HistoryTable): EpochRecord[] {
  const unknown = columns.find((name) => !NUMBERS.includes(name))
  if (unknown !== undefined) throw new TypeError(`its history has a column '${unknown}'`)
  return Array.from({ length: columns.length && numbers.length / columns.length }, (_, row) => {
    const record: Record<string, number | Record<string, number>> = {}
    for (const [column, name] of columns.entries()) {
      const [member = '', number] = name.split('.')
      const value = numbers[row * columns.length + column]!
      record[member] = number === undefined ? value : { ...(record[member] as object), [number]: value }
    }
    return record as unknown as EpochRecord
  })
}

function numberOf(record: EpochRecord, name: string): number | undefined {
  const [member = '', number] = name.split('.')
  const value: unknown = record[member as keyof EpochRecord]
  return (number === undefined ? value : (value as Record<string, number> | undefined)?.[number]) as
    | number
    | undefined
}

import { argumentError } from '../../base/check.js'
import { LayerwiseError } from '../../base/errors.js'
import { shorten, show } from '../../base/show.js'
import { isDue, turn } from '../../data/slices.js'
import type { ColumnType, TableBatch, TableColumn } from '../table-batch.js'
import { chooseColumns } from '../table-error.js'
import { CategoryCollector } from './category-collector.js'
import { isAllMissing } from './cells.js'
import { checkedBatches, columnsByName, type TableBatches } from './checked-batches.js'
import { BooleanCollector, type Collector, DroppedCollector, HashCollector } from './collector.js'
import { type ColumnPlan, MOST_ENCODED } from './encoded-column.js'
import type { ColumnEncoding, EncoderSettings, NumberEncoding } from './encoder-options.js'
import { NumberCollector } from './number-collector.js'

/** A column of a table: its type and how it is encoded. */
export interface FittedColumn {
  readonly type: ColumnType
  readonly plan: ColumnPlan
}

/** Values that are collected at once: moments are those of slices of this length. */
const SLICE = 4096

/** One pass over a table: the plans of its columns, and how many rows it has. */
export async function fitColumns(
  table: TableBatches,
  settings: EncoderSettings,
): Promise<{ rows: number; columns: readonly FittedColumn[] }> {
  let rows = 0
  let types: readonly TableColumn[] = []
  let collectors: readonly Collector[] | undefined
  for await (const batch of checkedBatches(table)) {
    if (collectors === undefined) {
      types = batch.columns.map((column) => ({ ...column, values: [] }) as unknown as TableColumn)
      collectors = begin(batch, settings)
    }
    const columns = sameColumns(types, batch, settings)
    for (let i = 0; i < columns.length; i++) {
      for (let from = 0; from < batch.rows; from += SLICE) {
        const to = Math.min(batch.rows, from + SLICE)
        for (const _ of collectors[i]!.add(columns[i]!, from, to, rows)) if (isDue()) await turn()
      }
    }
    rows += batch.rows
  }
  if (collectors === undefined || rows === 0)
    throw new LayerwiseError('ERR_SHAPE', 'table: expected at least one row, received none', {
      argument: 'table',
    })
  let width = 0
  const fitted = collectors.map((collector, i) => {
    const plan = collector.plan()
    width += plan.columns.length
    if (width > MOST_ENCODED) {
      const message = `table: expected at most ${MOST_ENCODED} encoded columns; with ${show(plan.name)} there are more`
      throw new LayerwiseError('ERR_RANGE', message, { argument: 'table' })
    }
    return { type: types[i]!.type, plan }
  })
  if (fitted.every(({ plan }) => plan.columns.length === 0)) {
    const reasons = fitted.slice(0, 3).map(({ plan }) => `${show(plan.name)} (${plan.reason})`)
    const message = `table: expected a column that varies, received ${reasons.join(', ')}${fitted.length > 3 ? ', …' : ''}`
    throw new LayerwiseError('ERR_RANGE', message, { argument: 'table' })
  }
  return { rows, columns: fitted }
}

function begin(batch: TableBatch, settings: EncoderSettings): readonly Collector[] {
  const names = batch.columns.map(({ name }) => name)
  chooseColumns('the table', names, [...settings.columns.keys()])
  return batch.columns.map((column) => collectorOf(column, settings))
}

function collectorOf({ name, type }: TableColumn, settings: EncoderSettings): Collector {
  const encoding = settings.columns.get(name)
  if (encoding === 'drop') return new DroppedCollector(name)
  if (type === 'list')
    throw encodingError(name, type, "'drop' in the encoder's columns, or a source without it")
  const isTexts = encoding === 'category' || typeof encoding === 'object'
  if (isTexts) {
    if (type === 'date' || type === 'decimal')
      throw encodingError(name, type, 'an encoding of numbers', encoding)
    return encoding === 'category'
      ? new CategoryCollector(name, settings)
      : new HashCollector(name, encoding.buckets)
  }
  if (encoding !== undefined) {
    if (type === 'string')
      throw encodingError(name, type, "'category', { kind: 'hash', buckets } or 'drop'", encoding)
    return new NumberCollector(name, encoding, type === 'date', false)
  }
  switch (type) {
    case 'string':
      return new CategoryCollector(name, settings)
    case 'boolean':
      return new BooleanCollector(name)
    default:
      return new NumberCollector(name, usualOf(type, settings.numbers), type === 'date', type === 'date')
  }
}

/** Dates are never scaled by a logarithm, nor left as milliseconds. */
function usualOf(type: ColumnType, numbers: NumberEncoding): NumberEncoding {
  if (type !== 'date') return numbers
  return numbers === 'none' ? 'standard' : numbers === 'log' ? 'robust' : numbers
}

function encodingError(
  name: string,
  type: ColumnType,
  expected: string,
  received?: ColumnEncoding,
): LayerwiseError {
  const said = received === undefined ? '' : `, received ${show(received)}`
  const kind = type === 'list' ? 'lists, objects, bytes or the like' : `values of type ${type}`
  return new LayerwiseError(
    'ERR_ARGUMENT',
    `columns[${show(name)}]: it has ${kind}; expected ${expected}${said}`,
    {
      argument: 'columns',
      expected,
      name: shorten(name, 200),
    },
  )
}

/** The columns of a batch in the order of the first one; values of another type are refused, unless all are missing. */
function sameColumns(
  types: readonly TableColumn[],
  batch: TableBatch,
  settings: EncoderSettings,
): readonly TableColumn[] {
  const found = columnsByName(batch)
  if (found.size > types.length) {
    const known = new Set(types.map(({ name }) => name))
    const name = [...found.keys()].find((other) => !known.has(other))!
    throw argumentError('table', 'batches of the same columns', name)
  }
  return types.map(({ name, type }) => {
    const column = found.get(name)
    if (column === undefined) throw argumentError('table', `a column ${show(name)} in each batch`, undefined)
    if (column.type === type || settings.columns.get(name) === 'drop') return column
    if (isAllMissing(column)) return column
    throw argumentError('table', `column ${show(name)} of type ${type} in each batch`, column.type)
  })
}

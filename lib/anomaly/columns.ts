import { argumentError, checkInteger, checkOptions, checkText, readArray, shapeError } from '../base/check.js'
import type { ColumnGroup } from '../tables/encoding/table-encoder.js'

/** What the columns of rows are called. */
export interface ColumnNames {
  /** Of each column. */
  readonly columns?: readonly string[]
  /** Columns that belong together. */
  readonly groups?: readonly ColumnGroup[]
}

/** One thing that an explanation names: a column, or the columns of a group. */
export interface NamedColumns {
  readonly name: string
  readonly columns: readonly number[]
}

/**
 * Names and groups, checked and copied, as far as it can be done without the number of columns.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for names that are not different texts, and for groups that overlap
 */
export function checkColumns(names: unknown, groups: unknown): ColumnNames {
  return {
    ...(names !== undefined && { columns: checkNames(names) }),
    ...(groups !== undefined && { groups: checkGroups(groups) }),
  }
}

function checkNames(value: unknown): string[] {
  if (!Array.isArray(value)) {
    const expected = 'an array of names (how columns of a table are encoded: encoder: { columns })'
    throw argumentError('columns', expected, value)
  }
  const names = readArray<unknown>(value).map((name, j) => checkText(`columns[${j}]`, name))
  checkDifferent((j) => `columns[${j}]`, names)
  return names
}

function checkDifferent(place: (index: number) => string, names: readonly string[]): void {
  const known = new Set<string>()
  for (const [j, name] of names.entries()) {
    if (known.has(name)) throw argumentError(place(j), 'a name that no other has', name)
    known.add(name)
  }
}

function checkGroups(value: unknown): ColumnGroup[] {
  if (!Array.isArray(value)) throw argumentError('groups', 'an array of groups { column, from, to }', value)
  let end = 0
  const groups = readArray<unknown>(value).map((entry, g) => {
    const place = `groups[${g}]`
    const given = checkOptions(place, entry, ['column', 'from', 'to'])
    const from = checkInteger(`${place}.from`, given.from, end)
    end = checkInteger(`${place}.to`, given.to, from + 1)
    return { column: checkText(`${place}.column`, given.column), from, to: end }
  })
  const names = groups.map(({ column }) => column)
  checkDifferent((g) => `groups[${g}].column`, names)
  return groups
}

/**
 * Refuses names and groups for another number of columns.
 *
 * @throws {@link LayerwiseError} `ERR_SHAPE`
 */
export function checkWidth({ columns, groups }: ColumnNames, width: number): void {
  if (columns !== undefined && columns.length !== width)
    throw shapeError('x', `${columns.length} columns, one for each name in columns`, width)
  const beyond = groups?.find(({ to }) => to > width)
  if (beyond !== undefined)
    throw shapeError('x', `at least ${beyond.to} columns, where group '${beyond.column}' ends`, width)
}

/** The name of a column. */
export function nameOf({ columns }: ColumnNames, column: number): string {
  return columns?.[column] ?? `column ${column}`
}

/** What an explanation has an entry for: groups, and each column that is in none. */
export function namedColumns(names: ColumnNames, width: number): NamedColumns[] {
  const named: NamedColumns[] = []
  let next = 0
  const addSingle = (to: number) => {
    for (; next < to; next++) named.push({ name: nameOf(names, next), columns: [next] })
  }
  for (const { column, from, to } of names.groups ?? []) {
    addSingle(from)
    named.push({ name: column, columns: Array.from({ length: to - from }, (_, k) => from + k) })
    next = to
  }
  addSingle(width)
  return named
}

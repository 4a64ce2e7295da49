import { argumentError, checkInteger, checkOptions, checkText, readArray, shapeError } from '../base/check.js'

/** Columns that belong together, such as the categories of one question. */
export interface ColumnGroup {
  /** What they are together. */
  readonly name: string
  /** Their places, counted from 0, rising; no column is in two groups. */
  readonly columns: readonly number[]
}

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
  readonly isGroup: boolean
}

/**
 * Names and groups, checked and copied, as far as it can be done without the number of columns.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for names that are not different texts, and for groups that overlap
 */
export function checkColumns(names: unknown, groups: unknown): ColumnNames {
  return {
    ...(names !== undefined && { columns: checkNames('columns', names) }),
    ...(groups !== undefined && { groups: checkGroups(groups) }),
  }
}

function checkNames(argument: string, value: unknown): string[] {
  if (!Array.isArray(value)) throw argumentError(argument, 'an array of names', value)
  const names = readArray<unknown>(value).map((name, j) => checkText(`${argument}[${j}]`, name))
  checkDifferent(argument, names)
  return names
}

function checkDifferent(argument: string, names: readonly string[]): void {
  const known = new Set<string>()
  for (const [j, name] of names.entries()) {
    if (known.has(name)) throw argumentError(`${argument}[${j}]`, 'a name that no other has', name)
    known.add(name)
  }
}

function checkGroups(value: unknown): ColumnGroup[] {
  if (!Array.isArray(value)) throw argumentError('groups', 'an array of groups { name, columns }', value)
  const taken = new Set<number>()
  const groups = readArray<unknown>(value).map((entry, g) => {
    const place = `groups[${g}]`
    const given = checkOptions(place, entry, ['name', 'columns'])
    const list = given.columns
    if (!Array.isArray(list) || list.length === 0)
      throw argumentError(`${place}.columns`, 'an array of column numbers', list)
    const columns = readArray<unknown>(list).map((column, k) => {
      const at = `${place}.columns[${k}]`
      const number = checkInteger(at, column, 0)
      if (taken.has(number)) throw argumentError(at, 'a column that is in no group yet', number)
      taken.add(number)
      return number
    })
    return { name: checkText(`${place}.name`, given.name), columns }
  })
  checkDifferent(
    'groups',
    groups.map(({ name }) => name),
  )
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
  for (const { name, columns: list } of groups ?? []) {
    const beyond = list.find((column) => column >= width)
    if (beyond !== undefined)
      throw shapeError('x', `more than ${beyond} columns, which group '${name}' contains`, width)
  }
}

/** The name of a column. */
export function nameOf({ columns }: ColumnNames, column: number): string {
  return columns?.[column] ?? `column ${column}`
}

/** What an explanation has an entry for: groups, and each column that is in none. */
export function namedColumns(names: ColumnNames, width: number): NamedColumns[] {
  const groups = names.groups ?? []
  const grouped = new Set(groups.flatMap(({ columns }) => columns))
  const single = Array.from({ length: width }, (_, column) => column)
    .filter((column) => !grouped.has(column))
    .map((column) => ({ name: nameOf(names, column), columns: [column], isGroup: false }))
  return [...groups.map(({ name, columns }) => ({ name, columns, isGroup: true })), ...single]
}

import { LayerwiseError } from '../base/errors.js'
import { shorten, show, showSome } from '../base/show.js'

/** Where a value of a table is. */
export interface TablePlace {
  /** Line of the text, counted from 1. */
  readonly line?: number | undefined
  /** Row of the table, counted from 0. */
  readonly row?: number | undefined
  /** Column of the table, counted from 0. */
  readonly column?: number | undefined
  /** The name of the column. */
  readonly name?: string | undefined
}

/** The error for wrong content of a table: `'orders.csv', line 7, column 'price': expected …`. */
export function tableError(
  source: string,
  place: TablePlace,
  problem: string,
  received?: unknown,
  cause?: unknown,
): LayerwiseError {
  const { line, row, column, name } = place
  const where = line !== undefined ? `, line ${line}` : row !== undefined ? `, row ${row}` : ''
  const of = name === undefined ? '' : `, column ${show(name)}`
  return new LayerwiseError(
    'ERR_FORMAT',
    `${source}${where}${of}: ${problem}`,
    {
      argument: 'source',
      ...(line !== undefined && { line }),
      ...(row !== undefined && { row }),
      ...(column !== undefined && { column }),
      ...(name !== undefined && { name: shorten(name, 200) }),
      ...(received !== undefined && { received }),
    },
    cause,
  )
}

/** The error for a value that is not of the type of its column. */
export function misfitError(
  source: string,
  place: TablePlace,
  type: string,
  received: unknown,
  isGiven: boolean,
): LayerwiseError {
  const advice = isGiven
    ? ''
    : `, the type that the first rows have; types: { ${JSON.stringify(shorten(place.name ?? ''))}: 'string' } reads the column as texts`
  return tableError(source, place, `${show(received)} does not fit ${type}${advice}`, received)
}

/** Names of columns, each of them once. @throws {@link LayerwiseError} `ERR_FORMAT` naming the first that appears twice */
export function checkNames(source: string, names: readonly string[], line?: number): void {
  if (names.length > MOST_COLUMNS)
    throw tableError(source, { line }, `it has ${names.length} columns; at most ${MOST_COLUMNS} are read`)
  const seen = new Set<string>()
  for (const [column, name] of names.entries()) {
    if (seen.has(name)) throw tableError(source, { line, column, name }, 'the name stands twice')
    seen.add(name)
  }
}

const MOST_COLUMNS = 100_000

/** The places of the wanted columns, in the order in which they are wanted. */
export function chooseColumns(
  source: string,
  names: readonly string[],
  wanted: readonly string[] | undefined,
  argument = 'columns',
): readonly number[] {
  if (wanted === undefined) return names.map((_, i) => i)
  const places = new Map(names.map((name, i) => [name, i]))
  return wanted.map((name) => {
    const place = places.get(name)
    if (place !== undefined) return place
    throw new LayerwiseError(
      'ERR_ARGUMENT',
      `${argument}: no column ${show(name)} in ${source}; there ${names.length > 1 ? 'are' : 'is'} ${showSome(names, 10) || 'none'}`,
      { argument, expected: 'names of columns', received: name },
    )
  })
}

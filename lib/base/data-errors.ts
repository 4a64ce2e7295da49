import { LayerwiseError } from './errors.js'

/** The error for a buffer of the caller that was transferred during the call. */
export function transferredError(argument: string): LayerwiseError {
  return new LayerwiseError('ERR_STATE', `${argument}: its buffer was transferred away`, { argument })
}

/** The error for an array of the caller that changed during the call. */
export function changedError(argument: string): LayerwiseError {
  return new LayerwiseError('ERR_STATE', `${argument}: it changed its length while it was read`, { argument })
}

/** The error for a row whose result overflows the precision. `column` is a column of the result. */
export function tooLargeError(
  argument: string,
  row: number,
  value?: number,
  column?: number,
): LayerwiseError {
  const expected = 'rows whose answers the precision of the model can hold'
  const place = column === undefined ? '' : `, column ${column} of the answer`
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, but ${value ?? 'the answer'} is too large, in row ${row}${place}; ` +
      "scale the data, or choose precision 'float64'",
    {
      argument,
      expected,
      row,
      ...(value !== undefined && { received: value }),
      ...(column !== undefined && { column }),
    },
  )
}

/** The refusal of NaN or Infinity at a place in the data, or of a finite number that a type cannot hold. */
export function notFiniteError(
  argument: string,
  value: number,
  row: number,
  column: number,
  type = 'float32',
): LayerwiseError {
  const expected = Number.isFinite(value) ? `numbers that ${type} can hold` : 'finite numbers'
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received ${value} in row ${row}, column ${column}`,
    { argument, expected, received: value, row, column },
  )
}

/** The same error, of a row that is in a file. */
export function inFile(error: LayerwiseError, file: string): LayerwiseError {
  return new LayerwiseError(error.code, `${error.message}, in '${file}'`, { ...error.details, file })
}

/** The error for a column index of sparse rows: beyond the columns, or not above the one before it. */
export function indexError(argument: string, row: number, column: number, cols: number): LayerwiseError {
  const expected =
    column >= cols ? `columns from 0 to ${cols - 1}` : 'columns that rise within a row, none of them twice'
  const message = `${argument}: expected ${expected}, received column ${column} in row ${row}`
  return new LayerwiseError('ERR_RANGE', message, { argument, expected, received: column, row, column })
}

/** The error for row starts of sparse rows that changed after they were checked. */
export function startsError(argument: string, row: number): LayerwiseError {
  const expected = 'row starts that never fall and stay within the values'
  const message = `${argument}: expected ${expected}, received others in row ${row}`
  return new LayerwiseError('ERR_RANGE', message, { argument, expected, row })
}

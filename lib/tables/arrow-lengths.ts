import { types } from 'node:util'

/** What is used of the parts of a vector of `apache-arrow`. */
interface ArrowData {
  readonly length: number
  readonly stride?: number
  readonly values?: unknown
  readonly valueOffsets?: unknown
  readonly type: { readonly typeId: number; readonly dictionary?: unknown }
}

/** The enumeration `Type` of apache-arrow, as the format numbers it. */
const [NULL, BOOL, STRUCT, FIXED_SIZE_LIST] = [1, 6, 13, 16]

/**
 * Whether a vector has the memory that so many values need: a damaged file may claim any number of rows, and apache-arrow believes it. Values of structures and
 * lists of fixed size lie in other vectors, which are read only where they are there.
 */
export function hasLength(vector: object, rows: number): boolean {
  const { data, length } = vector as { data?: unknown; length?: unknown }
  if (length !== rows || !Array.isArray(data)) return false
  let sum = 0
  for (const part of data as readonly ArrowData[]) {
    if (!holds(part)) return false
    sum += part.length
  }
  return sum === rows
}

function holds({ length, stride = 1, values, valueOffsets, type }: ArrowData): boolean {
  switch (type.typeId) {
    case NULL:
    case STRUCT:
    case FIXED_SIZE_LIST:
      return true
    case BOOL:
      return lengthOf(values) * 8 >= length
    default:
      return valueOffsets === undefined || lengthOf(valueOffsets) === 0
        ? lengthOf(values) >= length * stride
        : lengthOf(valueOffsets) > length
  }
}

function lengthOf(array: unknown): number {
  return types.isTypedArray(array) ? array.length : 0
}

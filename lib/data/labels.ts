import { types } from 'node:util'
import { argumentError, checkInteger, readArray, shapeError } from '../base/check.js'
import { changedError } from '../base/data-errors.js'
import { LayerwiseError } from '../base/errors.js'
import { allocateUnset, type PlainUint32Array } from '../base/precision.js'
import { show, showReceived, showSome } from '../base/show.js'
import type { NativeRows } from '../native/binding.js'
import { columnOf } from './column.js'
import { asDataset, type Dataset } from './dataset.js'
import type { IntegerArray } from './integer-array.js'
import { rowSlices, SCANNED, turn } from './slices.js'
import { type UsedRows, usedRowNumbers, usedRows } from './used-rows.js'

/** How many classes there are, at least 2; or their names, all different. */
export type Classes = number | readonly string[]

/** Typed arrays that hold 64-bit integers. */
export type BigIntegerArray = BigInt64Array | BigUint64Array

/**
 * The class of each row. Where `classes` is a number K: whole numbers from 0 to K − 1, in an integer array or a plain one, as BigInts too,
 * or in a {@link Dataset} of one column, which is read into memory. Where `classes` are names: names, in a plain array.
 */
export type Labels<C extends Classes = Classes> = C extends number
  ? IntegerArray | BigIntegerArray | readonly (number | bigint)[] | Dataset
  : readonly string[]

/** Predictions of a classifier: classes by number, or by name if they have names. */
export type Predictions<C extends Classes = Classes> = C extends number ? PlainUint32Array : string[]

/** The class of one row, as {@link Predictions} has it. */
export type Prediction<C extends Classes = Classes> = C extends number ? number : string

const INTEGER_ARRAYS = [
  types.isUint8Array,
  types.isUint8ClampedArray,
  types.isInt8Array,
  types.isUint16Array,
  types.isInt16Array,
  types.isUint32Array,
  types.isInt32Array,
  types.isBigInt64Array,
  types.isBigUint64Array,
]

/** Names are checked synchronously when a model is created or loaded: this many take about 10 ms. */
const MOST_NAMES = 65_536

/** A number of classes, or a copy of their names. */
export function checkClasses(argument: string, value: unknown): Classes {
  if (typeof value === 'number') return checkInteger(argument, value, 2)
  if (!Array.isArray(value)) throw argumentError(argument, 'a number of classes, or an array of names', value)
  if (value.length < 2) throw argumentError(argument, 'at least 2 names', value)
  if (value.length > MOST_NAMES) {
    throw argumentError(argument, `at most ${MOST_NAMES} names; more classes can be numbered`, value)
  }
  const names = new Map<string, number>()
  for (const [k, name] of readArray<unknown>(value).entries()) {
    if (typeof name !== 'string') throw argumentError(`${argument}[${k}]`, 'a name', name)
    const first = names.get(name)
    if (first !== undefined)
      throw argumentError(`${argument}[${k}]`, `a name other than that of class ${first}`, name)
    names.set(name, k)
  }
  return [...names.keys()]
}

/** How many there are. */
export function classCount(classes: Classes): number {
  return typeof classes === 'number' ? classes : classes.length
}

/**
 * Labels for the addon: checked and copied, a slice at a time, so that the event loop stays free.
 *
 * @param between - called between slices; what it throws ends the copying
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for another kind of array, and for names where `classes` is a number or the reverse
 * @throws {@link LayerwiseError} `ERR_SHAPE` for another number of labels than `rows`, or a dataset of several columns; `ERR_FILE` if its files fail
 * @throws {@link LayerwiseError} `ERR_RANGE` for what is no class of these, naming the first such row
 * @throws {@link LayerwiseError} `ERR_STATE` if the array changes its length during the call
 */
export async function toLabels(
  argument: string,
  labels: unknown,
  rows: number,
  classes: Classes,
  between: () => void,
): Promise<Uint32Array> {
  const dataset = typeof classes === 'number' ? asDataset(argument, labels) : undefined
  const given = dataset ? await columnOf(argument, dataset, between) : checkArray(argument, labels, classes)
  if (given.length !== rows) throw shapeError(argument, `${rows} labels, one a row`, `${given.length} labels`)
  const indexOf = typeof classes === 'number' ? numberIndex(argument, classes) : nameIndex(argument, classes)
  const out = allocateUnset('uint32', rows, argument)
  for await (const [from, to] of rowSlices(rows, 1)) {
    between()
    if (given.length !== rows) throw changedError(argument)
    for (let row = from; row < to; row++) out[row] = indexOf(given[row], row)
  }
  return out
}

/**
 * Refuses training labels that are all of one class: a constant answer fits them. Rows of weight 0 do not count.
 *
 * @param classes - used to name that class in the message
 * @param between - called between slices; what it throws ends the search
 * @throws {@link LayerwiseError} `ERR_RANGE`
 */
export async function checkSeveralClasses(
  rows: NativeRows,
  classes: Classes,
  between: () => void,
): Promise<void> {
  const { labels, weights } = rows
  if (labels === undefined) return
  const only = await onlyClass(rows, labels, between)
  if (only === undefined) return
  const name = typeof classes === 'number' ? only : classes[only]!
  const [used, all] = [usedRows(rows), labels.length]
  const every = { ...rows, order: undefined, files: undefined }
  const heldOut = used < all && (await onlyClass(every, labels, between)) === undefined
  const where = heldOut
    ? `in all ${used} held-in rows; the other classes are among the ${all - used} that validation held out: hold out fewer, or give ` +
      '{ x, labels } of your own as validation'
    : weights === undefined
      ? 'in every row'
      : 'in every row of a weight above 0'
  throw new LayerwiseError(
    'ERR_RANGE',
    `labels: expected rows of at least 2 classes to train on, received class ${show(name)} ${where}`,
    { argument: 'labels', expected: 'rows of at least 2 classes', received: name },
  )
}

/** The class of all rows that count; undefined if there are several. */
async function onlyClass(
  rows: UsedRows & Pick<NativeRows, 'weights'>,
  labels: Uint32Array,
  between: () => void,
): Promise<number | undefined> {
  const { weights } = rows
  let only: number | undefined
  for await (const numbers of usedRowNumbers(rows)) {
    between()
    for (const row of numbers) {
      if (weights?.[row] === 0) continue
      only ??= labels[row]!
      if (labels[row] !== only) return undefined
    }
  }
  return only
}

/** Class numbers as predictions: the numbers, or their names, looked up a slice at a time. */
export async function toPredictions(indices: PlainUint32Array, classes: Classes): Promise<Predictions> {
  if (typeof classes === 'number') return indices
  // Of its whole length at once: an array that grows is copied now and then. To get the memory takes milliseconds, if it is long.
  const names = new Array<string>(indices.length)
  if (names.length > SCANNED) await turn()
  for await (const [from, to] of rowSlices(indices.length, 1)) {
    for (let row = from; row < to; row++) names[row] = classes[indices[row]!]!
  }
  return names
}

function checkArray(argument: string, labels: unknown, classes: Classes): ArrayLike<unknown> {
  if (Array.isArray(labels)) return labels
  const integers = INTEGER_ARRAYS.some((isOfKind) => isOfKind(labels))
  if (typeof classes !== 'number') throw argumentError(argument, 'an array of class names', labels)
  if (!integers) throw argumentError(argument, 'an integer typed array, or an array of whole numbers', labels)
  return labels as unknown as ArrayLike<number>
}

function numberIndex(argument: string, classes: number): (label: unknown, row: number) => number {
  return (label, row) => {
    if (typeof label === 'bigint') {
      if (label >= 0n && label < classes) return Number(label)
      throw labelError('ERR_RANGE', argument, `a whole number from 0 to ${classes - 1}`, label, row)
    }
    if (typeof label !== 'number') {
      throw labelError('ERR_ARGUMENT', argument, 'a class number, since classes is a number', label, row)
    }
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw labelError('ERR_RANGE', argument, `a whole number from 0 to ${classes - 1}`, label, row)
    }
    return label
  }
}

function nameIndex(argument: string, classes: readonly string[]): (label: unknown, row: number) => number {
  const numbers = new Map(classes.map((name, k) => [name, k]))
  const expected = `the name of a class (${showSome(classes)})`
  return (label, row) => {
    if (typeof label !== 'string') {
      throw labelError('ERR_ARGUMENT', argument, 'a class name, since classes are names', label, row)
    }
    const number = numbers.get(label)
    if (number === undefined) {
      throw labelError('ERR_RANGE', argument, expected, label, row)
    }
    return number
  }
}

function labelError(
  code: 'ERR_ARGUMENT' | 'ERR_RANGE',
  argument: string,
  expected: string,
  received: unknown,
  row: number,
): LayerwiseError {
  const place = ` in row ${row}`
  // BigInts are read here: nothing says how to convert one.
  const shown = typeof received === 'bigint' ? show(received) + place : showReceived(received, place)
  return new LayerwiseError(code, `${argument}: expected ${expected}, received ${shown}`, {
    argument,
    expected,
    received,
    row,
  })
}

import { allocate, type PlainFloat64Array, type PlainUint32Array } from '../base/precision.js'
import { rowSlices } from '../data/slices.js'
import type { Part } from './forward-parts.js'

/** The rows with the largest errors. */
export interface LargestErrors {
  /** Their numbers: the largest error first, of equal ones the lower row. */
  readonly rows: PlainUint32Array
  /** Their errors. */
  readonly errors: PlainFloat64Array
}

/** To sort an error into the others takes as long as to look at so many numbers. */
const ERROR_COST = 32

/** The `count` rows with the largest errors, or all if there are fewer, in memory for so many. */
export async function largestOf(
  parts: AsyncIterable<Part<Float64Array>>,
  count: number,
): Promise<LargestErrors> {
  let kept: Kept | undefined
  for await (const { from, rows, whole, answers } of parts) {
    kept ??= new Kept(Math.min(count, whole))
    for await (const [begin, end] of rowSlices(rows, ERROR_COST)) {
      for (let i = begin; i < end; i++) kept.offer(from + i, answers[i]!)
    }
  }
  return kept!.sorted()
}

/** The largest errors so far, as a heap with the first to go at its top: the smallest error, of equal ones that of the highest row. */
class Kept {
  readonly #rows: PlainUint32Array
  readonly #errors: PlainFloat64Array
  #count = 0

  constructor(most: number) {
    this.#rows = allocate('uint32', most, 'largest')
    this.#errors = allocate('float64', most, 'largest')
  }

  /** Takes in a row; rows come in rising order. */
  offer(row: number, error: number): void {
    if (this.#count < this.#rows.length) {
      this.#put(this.#count++, row, error)
      this.#rise(this.#count - 1)
    } else if (error > this.#errors[0]!) {
      this.#put(0, row, error)
      this.#sink(0)
    }
  }

  /** All of them, the largest first. Ends the collection. */
  async sorted(): Promise<LargestErrors> {
    const [rows, errors] = [this.#rows, this.#errors]
    for await (const [from, to] of rowSlices(rows.length, ERROR_COST)) {
      for (let k = from; k < to; k++) {
        const last = --this.#count
        const [row, error] = [rows[0]!, errors[0]!]
        this.#put(0, rows[last]!, errors[last]!)
        this.#sink(0)
        this.#put(last, row, error)
      }
    }
    return { rows, errors }
  }

  #put(place: number, row: number, error: number): void {
    this.#rows[place] = row
    this.#errors[place] = error
  }

  /** Whether the one at place `a` goes before that at `b`. */
  #goesFirst(a: number, b: number): boolean {
    const [of, and] = [this.#errors[a]!, this.#errors[b]!]
    return of < and || (of === and && this.#rows[a]! > this.#rows[b]!)
  }

  #rise(place: number): void {
    for (let k = place; k > 0; ) {
      const parent = (k - 1) >> 1
      if (!this.#goesFirst(k, parent)) return
      this.#swap(k, parent)
      k = parent
    }
  }

  #sink(place: number): void {
    for (let k = place; ; ) {
      const [left, right] = [2 * k + 1, 2 * k + 2]
      let first = k
      if (left < this.#count && this.#goesFirst(left, first)) first = left
      if (right < this.#count && this.#goesFirst(right, first)) first = right
      if (first === k) return
      this.#swap(k, first)
      k = first
    }
  }

  #swap(a: number, b: number): void {
    const [row, error] = [this.#rows[a]!, this.#errors[a]!]
    this.#put(a, this.#rows[b]!, this.#errors[b]!)
    this.#put(b, row, error)
  }
}

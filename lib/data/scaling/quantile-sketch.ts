/** How far the rank of an answer may be from the asked one, as a share of all values. */
const ERROR = 0.0025
/** Values that are collected before they are merged into the summary. */
const BUFFER = 1024

/**
 * Quantiles of a stream of numbers in bounded memory: ranks are right to 0.25% of the values, at any length and in any order; exact up to 200
 * values. Nothing is drawn at random, so the same numbers in the same order give the same answers.
 *
 * Source: Greenwald & Khanna 2001, "Space-efficient online computation of quantile summaries", with values inserted in sorted groups. Each entry of the
 * summary stands for `gap` values, up to its own; `slack` bounds how many more values below it could be of later entries.
 */
export class QuantileSketch {
  #values: Float64Array = new Float64Array(0)
  #gaps: Float64Array = new Float64Array(0)
  #slacks: Float64Array = new Float64Array(0)
  #length = 0
  #count = 0
  readonly #buffer = new Float64Array(BUFFER)
  #buffered = 0

  /** How many numbers it has seen. */
  get count(): number {
    return this.#count + this.#buffered
  }

  /** Adds a number, not NaN. */
  add(value: number): void {
    this.#buffer[this.#buffered++] = value
    if (this.#buffered === BUFFER) this.#merge()
  }

  /**
   * A value whose rank is within 0.25% of `share · count`.
   *
   * @param share - from 0, the least value, to 1, the greatest
   * @returns NaN if there are no values
   */
  quantile(share: number): number {
    this.#merge()
    if (this.#count === 0) return Number.NaN
    const rank = Math.max(1, Math.ceil(share * this.#count))
    const most = ERROR * this.#count
    let least = 0
    for (let i = 0; i < this.#length - 1; i++) {
      least += this.#gaps[i]!
      // The next entry could be further above the rank than is allowed.
      if (least + this.#gaps[i + 1]! + this.#slacks[i + 1]! > rank + most) return this.#values[i]!
    }
    return this.#values[this.#length - 1]!
  }

  /** How many entries the summary has: its memory. */
  get size(): number {
    this.#merge()
    return this.#length
  }

  /** Sorts what was collected into the summary, and joins neighbours as far as the error allows. */
  #merge(): void {
    const added = this.#buffered
    if (added === 0) return
    const fresh = this.#buffer.subarray(0, added).sort()
    this.#buffered = 0
    const length = this.#length + added
    const [values, gaps, slacks] = [
      new Float64Array(length),
      new Float64Array(length),
      new Float64Array(length),
    ]
    let [old, next] = [0, 0]
    for (let i = 0; i < length; i++) {
      const isOld = old < this.#length && (next === added || this.#values[old]! <= fresh[next]!)
      values[i] = isOld ? this.#values[old]! : fresh[next]!
      gaps[i] = isOld ? this.#gaps[old]! : 1
      // A new value lies somewhere within the span of the entry above it; the least and the greatest are known.
      slacks[i] = isOld
        ? this.#slacks[old]!
        : old === 0 || old === this.#length
          ? 0
          : this.#gaps[old]! + this.#slacks[old]! - 1
      if (isOld) old++
      else next++
    }
    this.#count += added
    this.#compress(values, gaps, slacks)
  }

  /** Joins each entry with the one above it while their span allows. The first and the last stay: they are the extremes. */
  #compress(values: Float64Array, gaps: Float64Array, slacks: Float64Array): void {
    const most = Math.floor(2 * ERROR * this.#count)
    let kept = values.length - 1
    for (let i = values.length - 2; i >= 1; i--) {
      if (gaps[i]! + gaps[kept]! + slacks[kept]! <= most) gaps[kept]! += gaps[i]!
      else {
        kept--
        values[kept] = values[i]!
        gaps[kept] = gaps[i]!
        slacks[kept] = slacks[i]!
      }
    }
    if (values.length > 1) {
      kept--
      values[kept] = values[0]!
      gaps[kept] = gaps[0]!
      slacks[kept] = slacks[0]!
    }
    this.#values = values.slice(kept)
    this.#gaps = gaps.slice(kept)
    this.#slacks = slacks.slice(kept)
    this.#length = this.#values.length
  }
}

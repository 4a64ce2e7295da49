/** An odd number near 2³² over the golden ratio: its multiples are spread evenly over 32 bits. */
const STRIDE = 0x9e3779b9

/** A permutation of the numbers of 32 bits that mixes them: shifts and products by odd numbers (the constants of lowbias32). */
function mixed(x: number): number {
  let y = x ^ (x >>> 16)
  y = Math.imul(y, 0x21f0aaad)
  y ^= y >>> 15
  y = Math.imul(y, 0x735a2d97)
  return (y ^ (y >>> 15)) >>> 0
}

/** Random numbers that are a function of a seed and the number of a row, so that any row can be made alone. */
export class RowRandom {
  readonly #key: number
  #state = 0

  /** @param seed - a whole number of 32 bits */
  constructor(seed: number) {
    this.#key = mixed(mixed(seed) ^ STRIDE)
  }

  /** Begins the numbers of a row, 0 to 2³² − 1. */
  begin(row: number): void {
    this.#state = mixed(row ^ this.#key)
  }

  /** Uniform on [0, 1). */
  next(): number {
    this.#state = (this.#state + STRIDE) | 0
    return mixed(this.#state) / 2 ** 32
  }

  /** Uniform on [low, high). */
  between(low: number, high: number): number {
    return low + (high - low) * this.next()
  }

  /** Uniform among the whole numbers from 0 to `count` − 1. */
  below(count: number): number {
    return Math.floor(count * this.next())
  }

  /** About normal, with mean 0 and variance 1: the sum of four uniform numbers. */
  normal(): number {
    return (this.next() + this.next() + this.next() + this.next() - 2) * Math.sqrt(3)
  }
}

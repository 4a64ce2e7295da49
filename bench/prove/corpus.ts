import type { RowRandom } from '../synthetic/random.js'

/** Of how many beginnings of a branch one is told from another, as bits: 1, 2, 3, 4 to 7, 8 to 15, 16 to 31, 32 to 127, more. */
const CLASSES = Uint8Array.from({ length: 256 }, (_, times) => {
  if (times < 4) return [0, 1, 2, 4][times]!
  if (times < 32) return times < 8 ? 8 : times < 16 ? 16 : 32
  return times < 128 ? 64 : 128
})

/** Inputs that reached code which none before them had reached, or reached it more often. */
export class Corpus {
  readonly inputs: Buffer[] = []
  readonly #counters: Uint8Array
  readonly #words: Uint32Array
  /** Of each counter the classes that were seen. */
  readonly #seen: Uint8Array
  /** Branches that were reached. */
  reached = 0

  /** @param counters - those of the program, a multiple of four */
  constructor(counters: Uint8Array) {
    this.#counters = counters
    this.#words = new Uint32Array(counters.buffer, counters.byteOffset, counters.length / 4)
    this.#seen = new Uint8Array(counters.length)
  }

  /** To be called before an input is read. */
  begin(): void {
    this.#counters.fill(0)
  }

  /** Keeps the input that was read, if it reached anything new. */
  end(input: Buffer): void {
    const [words, counters, seen] = [this.#words, this.#counters, this.#seen]
    let isNew = false
    for (let word = 0; word < words.length; word++) {
      if (words[word] === 0) continue
      for (let i = 4 * word; i < 4 * word + 4; i++) {
        const found = CLASSES[counters[i]!]!
        if ((found & ~seen[i]!) === 0) continue
        if (seen[i] === 0) this.reached++
        seen[i]! |= found
        isNew = true
      }
    }
    if (isNew) this.inputs.push(input)
  }

  /** An input to change, one of the last tenth every other time. */
  pick(random: RowRandom): Buffer {
    const { length } = this.inputs
    const late = Math.max(1, Math.ceil(length / 10))
    return this.inputs[random.next() < 0.5 ? length - 1 - random.below(late) : random.below(length)]!
  }
}

type Words = [bigint, bigint, bigint, bigint]

const WORD = 2n ** 32n
const low = (x: bigint): bigint => x % WORD
const high = (x: bigint): bigint => x / WORD

/** Philox4x32-10 (Salmon, Moraes, Dror, Shaw 2011, "Parallel random numbers: as easy as 1, 2, 3"), in whole numbers. */
export function philox(counter: Words, key: [bigint, bigint]): Words {
  let [c0, c1, c2, c3] = counter
  let [k0, k1] = key
  for (let round = 0; round < 10; round++) {
    const a = 0xd2511f53n * c0
    const b = 0xcd9e8d57n * c2
    ;[c0, c1, c2, c3] = [high(b) ^ c1 ^ k0, low(b), high(a) ^ c3 ^ k1, low(a)]
    k0 = (k0 + 0x9e3779b9n) % WORD
    k1 = (k1 + 0xbb67ae85n) % WORD
  }
  return [c0, c1, c2, c3]
}

/** What a draw is for. The key is the seed; the counter is (block, stream, index), the index in two words. */
export interface Use {
  readonly seed: number
  readonly stream: number
  readonly index: number
}

function block(number: number, { seed, stream, index }: Use): Words {
  const i = BigInt(index)
  const s = BigInt(seed)
  return philox([BigInt(number), BigInt(stream), low(i), high(i)], [low(s), high(s)])
}

/** `count` numbers from `from` to `to`: element i is from + (w + ½) 2⁻³² (to − from), w the word i % 4 of block ⌊i / 4⌋. */
export function uniform(count: number, from: number, to: number, use: Use): Float64Array {
  return Float64Array.from({ length: count }, (_, i) => {
    const word = block(Math.floor(i / 4), use)[i % 4]!
    return from + (Number(word) + 0.5) * 2 ** -32 * (to - from)
  })
}

/** Fisher-Yates: place i takes one of the count − i elements left, ⌊x (count − i) / 2⁶⁴⌋ places on, x two words of the use. */
export function permutation(count: number, use: Use): Uint32Array {
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = 0; i + 1 < count; i++) {
    const words = block(Math.floor(i / 2), use)
    const x = words[(i % 2) * 2]! * WORD + words[(i % 2) * 2 + 1]!
    const other = i + Number((x * BigInt(count - i)) / (WORD * WORD))
    ;[order[i], order[other]] = [order[other]!, order[i]!]
  }
  return order
}

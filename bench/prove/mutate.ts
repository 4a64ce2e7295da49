import type { RowRandom } from '../synthetic/random.js'

/** Whole numbers at the edges of types and of sums of sizes. */
const EDGES = [
  ...[0, 1, 2, 3, 7, 8, 15, 16, 127, 128, 255, 256, 32767, 32768, 65535, 65536, 2 ** 24, 2 ** 31 - 1],
  ...[2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 33, 2 ** 53 - 1, 2 ** 53, 2 ** 63, 2 ** 64 - 2048, -1, -2, -128],
]

/** Pieces of texts that readers treat apart. */
const PIECES = [
  ...[
    '0',
    '-1',
    '-0',
    '1.5',
    '1e999',
    '-1e999',
    '5e-324',
    '9'.repeat(30),
    '0x10',
    '1_000',
    '٣',
    'NaN',
    'nan',
  ],
  ...[
    'Infinity',
    'null',
    'true',
    '',
    ' ',
    '"',
    "'",
    '""',
    '\\',
    '\\u0000',
    '\\ud800',
    '{',
    '}',
    '[',
    ']',
    '[]',
  ],
  ...[
    '{}',
    ',',
    ';',
    ':',
    '\n',
    '\r\n',
    '\r',
    '\t',
    '|',
    '\0',
    '\ufeff',
    '\u2028',
    '😀',
    '__proto__',
    '(',
    ')',
  ],
  ...[
    'constructor',
    '"a":',
    '2024-02-30',
    'F64',
    'U8',
    '<f8',
    '>f4',
    '|O',
    'True',
    '(1,)',
    '\xff',
    '\xff\xfe',
  ],
]

/** Values that JSON may have in a place. */
const VALUES: readonly unknown[] = [
  ...[null, true, false, 0, -0, -1, 1, 1.5, 2, 3, 255, 2 ** 31 - 1, 2 ** 31, 2 ** 53, 1e300, -1e300, 1e-300],
  ...[
    '',
    'a',
    'kl',
    'zca',
    'float64',
    '__proto__',
    '\0',
    'x'.repeat(1000),
    [],
    {},
    [0],
    [[]],
    [null],
    [1, 2, 3],
  ],
  ...[{ kind: 'kl' }, { length: 1e9 }, { a: { a: { a: { a: {} } } } }],
]

const pick = <T>(random: RowRandom, from: readonly T[]): T => from[random.below(from.length)]!

/** One of them, of its own: it may be changed again. */
const anyValue = (random: RowRandom): unknown => structuredClone(pick(random, VALUES))

/** A place in bytes: as often near the beginning, where headers are, as anywhere. */
function place(random: RowRandom, length: number): number {
  return random.below(1 + (random.next() < 0.5 ? Math.min(length, 200) : length))
}

type Mutation = (bytes: Buffer, random: RowRandom, others: readonly Buffer[]) => Buffer

function replaced(bytes: Buffer, from: number, to: number, by: Uint8Array): Buffer {
  return Buffer.concat([bytes.subarray(0, from), by, bytes.subarray(to)])
}

function flipped(bytes: Buffer, random: RowRandom): Buffer {
  const copy = Buffer.from(bytes)
  for (let k = random.below(4); k >= 0; k--) {
    const at = place(random, bytes.length - 1)
    if (at < copy.length) copy[at]! ^= random.next() < 0.5 ? 1 << random.below(8) : random.below(256)
  }
  return copy
}

function numberReplaced(bytes: Buffer, random: RowRandom): Buffer {
  const size = 2 ** random.below(4)
  if (bytes.length < size) return bytes
  const copy = Buffer.from(bytes)
  const at = Math.min(place(random, bytes.length), bytes.length - size)
  const edge = random.next() < 0.2 ? bytes.length + random.below(5) - 2 : pick(random, EDGES)
  const number = BigInt.asUintN(8 * size, BigInt(edge))
  for (let k = 0; k < size; k++) copy[at + k] = Number((number >> BigInt(8 * k)) & 255n)
  if (random.next() < 0.5) copy.subarray(at, at + size).reverse()
  return copy
}

/** A number in digits, if there is one. */
function digitsReplaced(bytes: Buffer, random: RowRandom): Buffer {
  const text = bytes.toString('latin1', 0, Math.min(bytes.length, 100_000))
  const found = [...text.matchAll(/-?\d+/g)]
  if (found.length === 0) return flipped(bytes, random)
  const { index, 0: digits } = pick(random, found)
  const by = random.next() < 0.5 ? String(pick(random, EDGES)) : pick(random, PIECES)
  return replaced(bytes, index, index + digits.length, Buffer.from(by))
}

const MUTATIONS: readonly Mutation[] = [
  flipped,
  numberReplaced,
  digitsReplaced,
  (bytes, random) => bytes.subarray(0, place(random, bytes.length)),
  (bytes, random) => bytes.subarray(0, Math.max(0, bytes.length - 1 - random.below(9))),
  (bytes, random) => Buffer.concat([bytes, Buffer.alloc(1 + random.below(100), random.below(256))]),
  (bytes, random) => {
    const at = place(random, bytes.length)
    return replaced(bytes, at, at + 1 + random.below(random.next() < 0.7 ? 4 : 500), Buffer.alloc(0))
  },
  (bytes, random) => {
    const at = place(random, bytes.length)
    const piece = Buffer.from(pick(random, PIECES), random.next() < 0.5 ? 'utf8' : 'latin1')
    return replaced(bytes, at, random.next() < 0.5 ? at : at + piece.length, piece)
  },
  // Some of its bytes twice, or somewhere else.
  (bytes, random) => {
    const from = place(random, bytes.length)
    const to = from + 1 + random.below(random.next() < 0.7 ? 20 : 2000)
    const at = place(random, bytes.length)
    return replaced(bytes, at, at, bytes.subarray(from, to))
  },
  // The beginning of one, and the end of another.
  (bytes, random, others) => {
    const other = pick(random, others)
    return Buffer.concat([
      bytes.subarray(0, place(random, bytes.length)),
      other.subarray(place(random, other.length)),
    ])
  },
]

/** A file with one to three of the changes. */
export function mutated(good: readonly Buffer[], random: RowRandom): Buffer {
  let bytes = pick(random, good)
  for (let k = random.below(3); k >= 0; k--) bytes = pick(random, MUTATIONS)(bytes, random, good)
  return bytes
}

type Node = Record<string, unknown>

interface Place {
  readonly parent: Node
  readonly key: string
}

/** Members of a value and of its members. */
function countOf(value: unknown): number {
  if (value === null || typeof value !== 'object') return 0
  return Object.values(value).reduce<number>((count, member) => count + 1 + countOf(member), 0)
}

/** Where the member of this number is, a member before its own. To list all places would take most of the time. */
function placeOf(value: Node, number: number): Place {
  let left = number
  const find = (parent: Node): Place | undefined => {
    for (const key of Object.keys(parent)) {
      if (left-- === 0) return { parent, key }
      const member = parent[key]
      if (member === null || typeof member !== 'object') continue
      const found = find(member as Node)
      if (found !== undefined) return found
    }
    return undefined
  }
  return find(value)!
}

/** A JSON value with a member changed, removed, added or put elsewhere. Texts that are JSON are changed within. */
export function mutatedJson(value: unknown, random: RowRandom): unknown {
  const copy = structuredClone(value) as Node
  for (let k = random.below(2); k >= 0; k--) {
    const count = countOf(copy)
    if (count === 0) return anyValue(random)
    const { parent, key } = placeOf(copy, random.below(count))
    const old = parent[key]
    const isJson = typeof old === 'string' && /^[[{]/.test(old)
    const way = isJson ? 0 : 1 + random.below(6)
    if (way === 0) parent[key] = mutatedText(old as string, random)
    else if (way === 1) delete parent[key]
    else if (way === 2) parent[pick(random, ['a', 'kind', 'format', '0', key.slice(1)])] = anyValue(random)
    else if (way === 3 && typeof old === 'number')
      parent[key] = pick(random, [old + 1, old - 1, -old, old * 1e9])
    else if (way === 4) {
      const other = placeOf(copy, random.below(count))
      parent[key] = structuredClone(other.parent[other.key])
    } else parent[key] = anyValue(random)
  }
  return copy
}

function mutatedText(text: string, random: RowRandom): string {
  try {
    return JSON.stringify(mutatedJson(JSON.parse(text), random))
  } catch {
    return mutated([Buffer.from(text)], random).toString()
  }
}

/** The bytes of a JSON file, with a change of its values or of its text. */
export function mutatedJsonFile(good: readonly Buffer[], random: RowRandom): Buffer {
  if (random.next() < 0.3) return mutated(good, random)
  return Buffer.from(JSON.stringify(mutatedJson(JSON.parse(pick(random, good).toString()), random)))
}

/** The header of a safetensors file as JSON, and the bytes behind it. */
export function partsOfSafetensors(bytes: Buffer): { header: Node; numbers: Buffer; length: number } {
  const length = Number(bytes.readBigUInt64LE(0))
  const header = JSON.parse(bytes.toString('utf8', 8, 8 + length)) as Node
  return { header, numbers: bytes.subarray(8 + length), length }
}
/** A file of these; the header is padded to this length, so that the numbers begin where they did. */
export function safetensorsOf(header: unknown, numbers: Buffer, padded = 0): Buffer {
  const text = Buffer.from(JSON.stringify(header) ?? 'null')
  const json = Buffer.concat([text, Buffer.alloc(Math.max(0, padded - text.length), ' ')])
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(json.length))
  return Buffer.concat([length, json, numbers])
}

/** A .npy file with a change of the text of its header, whose length is kept right, or of any bytes. */
export function mutatedNpy(good: readonly Buffer[], random: RowRandom): Buffer {
  if (random.next() < 0.4) return mutated(good, random)
  const bytes = pick(random, good)
  const length = bytes.readUInt16LE(8)
  const changed = mutated([bytes.subarray(10, 10 + length)], random)
  const header = Buffer.concat([
    changed.subarray(0, length),
    Buffer.alloc(Math.max(0, length - changed.length), ' '),
  ])
  return replaced(bytes, 10, 10 + length, header)
}

/** A safetensors file with a change of its header's values, which keeps the length right, of its numbers, or of its bytes. */
export function mutatedSafetensors(good: readonly Buffer[], random: RowRandom): Buffer {
  const way = random.next()
  if (way < 0.25) return mutated(good, random)
  const { header, numbers, length } = partsOfSafetensors(pick(random, good))
  if (way < 0.85) return safetensorsOf(mutatedJson(header, random), numbers, length)
  const changed = Buffer.from(numbers)
  const value = pick(random, [0, -1, 1e-200, 1e300, 5e-324, 3e38, Infinity, NaN])
  if (changed.length >= 8) changed.writeDoubleLE(value, 8 * random.below(Math.floor(changed.length / 8)))
  if (changed.length >= 4) changed.writeFloatLE(value, 4 * random.below(Math.floor(changed.length / 4)))
  return safetensorsOf(header, changed, length)
}

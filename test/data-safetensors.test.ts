import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { LayerwiseError } from '../lib/base/errors.js'
import { readSafetensors, type Tensor, writeSafetensors } from '../lib/data/safetensors.js'
import { parseStrictJson } from '../lib/data/strict-json.js'
import { writeFileWhole } from '../lib/data/write-file.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const path = join(folder, 'model.safetensors')

/**
 * Written by Python's safetensors 0.8.0:
 * save({'w': arange(6, 'f4').reshape(2, 3), 'b': array([.1, .2]), 's': array(7, 'f4')}, metadata={'format': '1', 'class': 'Zoë'})
 */
const fromPython = Buffer.from(
  '2AAAAAAAAAB7Il9fbWV0YWRhdGFfXyI6eyJmb3JtYXQiOiIxIiwiY2xhc3MiOiJab8OrIn0sImIiOnsiZHR5cGUiOiJGNjQiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlswLDE2XX0sInMiOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6W10sImRhdGFfb2Zmc2V0cyI6WzE2LDIwXX0sInciOnsiZHR5cGUiOiJGMzIiLCJzaGFwZSI6WzIsM10sImRhdGFfb2Zmc2V0cyI6WzIwLDQ0XX19ICAgICCamZmZmZm5P5qZmZmZmck/AADgQAAAAAAAAIA/AAAAQAAAQEAAAIBAAACgQA==',
  'base64',
)

/** The same: save({'i': arange(2)}), which is int64. */
const integersFromPython = Buffer.from(
  'OAAAAAAAAAB7ImkiOnsiZHR5cGUiOiJJNjQiLCJzaGFwZSI6WzJdLCJkYXRhX29mZnNldHMiOlswLDE2XX19IAAAAAAAAAAAAQAAAAAAAAA=',
  'base64',
)

function file(bytes: Uint8Array): string {
  writeFileSync(path, bytes)
  return path
}

/** A file with this header text, and this many bytes of numbers. */
function handmade(header: string | object, bytes: number): Buffer {
  const text = Buffer.from(typeof header === 'string' ? header : JSON.stringify(header))
  const length = Buffer.alloc(8)
  length.writeBigUInt64LE(BigInt(text.length))
  return Buffer.concat([length, text, Buffer.alloc(bytes)])
}

const entry = (begin: number, end: number, shape: unknown = [(end - begin) / 4], dtype: unknown = 'F32') => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

const text = (begin: number, end: number) => JSON.stringify(entry(begin, end))

const formatError = (message = '') =>
  expect.objectContaining({
    name: 'LayerwiseError',
    code: 'ERR_FORMAT',
    message: expect.stringContaining(message),
  })

describe('readSafetensors', () => {
  it("opens what Python's package wrote", async () => {
    const { tensors, metadata } = await readSafetensors(file(fromPython))
    expect(metadata).toEqual({ class: 'Zoë', format: '1' })
    expect([...tensors.keys()].sort()).toEqual(['b', 's', 'w'])
    expect(tensors.get('w')).toEqual({ name: 'w', shape: [2, 3], data: new Float32Array([0, 1, 2, 3, 4, 5]) })
    expect(tensors.get('b')).toEqual({ name: 'b', shape: [2], data: new Float64Array([0.1, 0.2]) })
    expect(tensors.get('s')).toEqual({ name: 's', shape: [], data: new Float32Array([7]) })
  })

  it('names unsupported element types', async () => {
    await expect(readSafetensors(file(integersFromPython))).rejects.toEqual(formatError('"I64"'))
  })

  it('accepts a file without tensors, and tensors without numbers', async () => {
    expect((await readSafetensors(file(handmade('{}', 0)))).tensors.size).toBe(0)
    const empty = await readSafetensors(file(handmade({ a: entry(0, 4), b: entry(4, 4, [3, 0]) }, 4)))
    expect(empty.tensors.get('b')).toEqual({ name: 'b', shape: [3, 0], data: new Float32Array(0) })
  })

  it.each([
    ['an empty file', Buffer.alloc(0), 'short'],
    ['a header length beyond the file', Buffer.from('ff00000000000000', 'hex'), '255 bytes'],
    ['a header length beyond counting', Buffer.from('ffffffffffffffff7b7d', 'hex'), 'header'],
    ['a header that is no object', handmade('[]', 0), 'not a JSON object'],
    ['a header that is cut JSON', handmade('{"a":', 0), 'JSON'],
    ['a header that is not UTF-8', handmade('{"', 0).fill(0xff, 9), 'JSON'],
    ['a header nested deep', handmade(`{"a":${'['.repeat(100_000)}`, 0), 'nested more than 3 deep'],
    ['a tensor named twice', handmade(`{"a":${text(0, 4)},"a":${text(0, 4)}}`, 4), 'twice'],
    [
      'a tensor named twice in other letters',
      handmade(`{"a":${text(0, 4)},"\\u0061":${text(0, 4)}}`, 4),
      'twice',
    ],
    [
      'a field named twice',
      handmade('{"a":{"dtype":"F64","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4),
      'twice',
    ],
    ['a tensor named __proto__', handmade(`{"__proto__":${text(0, 4)}}`, 4), '__proto__'],
    ['metadata named __proto__', handmade('{"__metadata__":{"__proto__":"x"}}', 0), '__proto__'],
    ['metadata that is no string', handmade('{"__metadata__":{"a":1}}', 0), 'strings'],
    ['metadata that is no object', handmade('{"__metadata__":null}', 0), 'strings'],
    ['a tensor without a shape', handmade({ a: { dtype: 'F32', data_offsets: [0, 4] } }, 4), 'consist'],
    ['a tensor with a further field', handmade({ a: { ...entry(0, 4), x: 1 } }, 4), 'consist'],
    ['a dtype that is a property of every object', handmade({ a: entry(0, 4, [1], 'toString') }, 4), 'dtype'],
    ['a dtype that is no string', handmade({ a: entry(0, 4, [1], null) }, 4), 'dtype'],
    ['a negative size', handmade({ a: entry(0, 4, [-1]) }, 4), 'whole numbers'],
    ['a fractional size', handmade({ a: entry(0, 4, [1.5]) }, 4), 'whole numbers'],
    [
      'a size beyond counting',
      handmade('{"a":{"dtype":"F32","shape":[1e300],"data_offsets":[0,4]}}', 4),
      'whole numbers',
    ],
    ['sizes whose product overflows', handmade({ a: entry(0, 0, [2 ** 40, 2 ** 40]) }, 0), 'needs'],
    ['three offsets', handmade({ a: { ...entry(0, 4), data_offsets: [0, 4, 8] } }, 8), 'data_offsets'],
    ['offsets that run backwards', handmade({ a: entry(4, 0, [1]) }, 4), 'needs'],
    ['a shape that does not fit the offsets', handmade({ a: entry(0, 8, [1]) }, 8), 'needs 4 bytes'],
    ['a gap', handmade({ a: entry(0, 4), b: entry(8, 12) }, 12), 'gap'],
    ['a gap at the start', handmade({ a: entry(4, 8) }, 8), 'gap'],
    ['an overlap', handmade({ a: entry(0, 8), b: entry(4, 12) }, 12), 'overlap'],
    ['numbers that are cut', handmade({ a: entry(0, 8) }, 7), 'but 7 follow'],
    ['trailing bytes', handmade({ a: entry(0, 8) }, 9), '9 follow'],
    ['far more numbers than the file has', handmade({ a: entry(0, 2 ** 40) }, 8), 'but 8 follow'],
  ])('refuses %s', async (_, bytes, message) => {
    await expect(readSafetensors(file(bytes))).rejects.toEqual(formatError(message))
  })

  it('refuses a missing file as an argument, with the cause', async () => {
    await expect(readSafetensors('/no/such')).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      cause: { code: 'ENOENT' },
    })
  })
})

describe('writeSafetensors', () => {
  const w: Tensor = { name: 'w', shape: [2, 3], data: new Float32Array([0, 1, 2, 3, 4, 5]) }
  const b: Tensor = { name: 'b', shape: [2], data: new Float64Array([0.1, 0.2]) }
  const s: Tensor = { name: 's', shape: [], data: new Float32Array([7]) }

  it("writes the bytes that Python's package would for the same order of names", async () => {
    await writeSafetensors(path, [s, w, b], { format: '1', class: 'Zoë' })
    expect(readFileSync(path)).toEqual(fromPython)
  })

  it('reads back as it was written, numbers aligned to their size', async () => {
    const name = fc.string({ unit: 'binary' }).filter((n) => n !== '__metadata__' && n !== '__proto__')
    const data = fc.oneof(fc.float32Array({ maxLength: 12 }), fc.float64Array({ maxLength: 12 }))
    const tensor = fc
      .record({ name, data })
      .map(({ name, data }) => ({ name, shape: [data.length, 1], data }))
    const content = fc.record({
      tensors: fc.uniqueArray(tensor, { selector: (t) => t.name, maxLength: 5 }),
      metadata: fc.dictionary(name, fc.string({ unit: 'binary' })),
    })
    await fc.assert(
      fc.asyncProperty(content, async ({ tensors, metadata }) => {
        await writeSafetensors(path, tensors, metadata)
        const read = await readSafetensors(path)
        expect(read.metadata).toEqual({ ...metadata })
        expect(read.tensors).toEqual(new Map(tensors.map((t) => [t.name, t])))
        expect(Number(readFileSync(path).readBigUInt64LE()) % 8).toBe(0)
      }),
      { numRuns: 40 },
    )
  })

  it('writes files that are read or refused with any byte changed or cut off', async () => {
    const mutation = fc.record({ place: fc.nat(fromPython.length - 1), byte: fc.nat(255), cut: fc.boolean() })
    await fc.assert(
      fc.asyncProperty(mutation, async ({ place, byte, cut }) => {
        const bytes = Buffer.from(fromPython)
        bytes[place] = byte
        const outcome = await readSafetensors(file(cut ? bytes.subarray(0, place) : bytes)).catch(
          (error: unknown) => error,
        )
        if (cut) expect(outcome).toBeInstanceOf(LayerwiseError)
        if (outcome instanceof LayerwiseError) expect(outcome.code).toBe('ERR_FORMAT')
        else expect(outcome).toMatchObject({ tensors: expect.any(Map) })
      }),
      { numRuns: 400 },
    )
  })

  it.each([
    ['data of another length', [{ ...w, shape: [2, 2] }], {}, 'ERR_SHAPE'],
    ['a fractional size', [{ ...w, shape: [1.5, 4] }], {}, 'ERR_ARGUMENT'],
    ['bytes', [{ name: 'w', shape: [1], data: new Uint8Array(1) }], {}, 'ERR_ARGUMENT'],
    ['two tensors of one name', [w, w], {}, 'ERR_ARGUMENT'],
    ['the name of the metadata', [{ ...w, name: '__metadata__' }], {}, 'ERR_ARGUMENT'],
    ['the name __proto__', [{ ...w, name: '__proto__' }], {}, 'ERR_ARGUMENT'],
    ['half of a surrogate pair', [{ ...w, name: '\ud800' }], {}, 'ERR_ARGUMENT'],
    ['metadata that is no string', [w], { a: 1 }, 'ERR_ARGUMENT'],
  ])('refuses %s and writes nothing', async (_, tensors, metadata, code) => {
    const target = join(folder, 'refused')
    await expect(
      writeSafetensors(target, tensors as Tensor[], metadata as Record<string, string>),
    ).rejects.toMatchObject({
      name: 'LayerwiseError',
      code,
    })
    expect(readdirSync(folder)).not.toContain('refused')
  })
})

describe('writeFileWhole', () => {
  it('keeps the old file and removes the temporary one if a part fails', async () => {
    const target = join(folder, 'whole')
    await writeFileWhole(target, [Buffer.from('old')])
    const before = readdirSync(folder)
    const reason = new Error('no more')
    async function* parts(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('new')
      expect(readdirSync(folder)).toHaveLength(before.length + 1)
      throw reason
    }
    await expect(writeFileWhole(target, parts())).rejects.toMatchObject({
      code: 'ERR_ARGUMENT',
      cause: reason,
    })
    expect(readFileSync(target, 'utf8')).toBe('old')
    expect(readdirSync(folder)).toEqual(before)
  })

  it('leaves the complete file of the last writer if several write to one file', async () => {
    const target = join(folder, 'race')
    const contents = ['a', 'b', 'c'].map((letter) => letter.repeat(100_000))
    await Promise.all(contents.map((content) => writeFileWhole(target, [Buffer.from(content)])))
    expect(contents).toContain(readFileSync(target, 'utf8'))
  })
})

describe('parseStrictJson', () => {
  const limits = { depth: 50, names: 1000 }
  const outcome = async (text: string) => parseStrictJson(text, limits).catch(() => 'refused')
  const outcomeOfParse = (text: string): unknown => {
    try {
      return JSON.parse(text)
    } catch {
      return 'refused'
    }
  }

  it('agrees with JSON.parse if no name is repeated, with any spaces', async () => {
    const value = fc.jsonValue({ maxDepth: 4 }).filter((json) => !JSON.stringify(json).includes('__proto__'))
    await fc.assert(
      fc.asyncProperty(value, fc.nat(4), async (json, spaces) => {
        const written = JSON.stringify(json, null, spaces)
        expect(await parseStrictJson(written, limits)).toEqual(JSON.parse(written))
      }),
    )
  })

  it('agrees with JSON.parse on damaged text', async () => {
    const piece = fc.constantFrom(
      ...[
        '{',
        '}',
        '[',
        ']',
        ':',
        ',',
        '"a"',
        '"b"',
        '"\\n\\u00e9"',
        '"\\x"',
        '"\n"',
        '1',
        '-0.5e-3',
        '01',
        '.5',
        'true',
        'null',
        ' ',
        'x',
      ],
    )
    const hasDouble = (text: string) => /"(a|b|[^"]*n[^"]*)"\s*:.*"\1"\s*:/.test(text)
    const text = fc.array(piece, { maxLength: 9 }).map((pieces) => pieces.join(''))
    await fc.assert(
      fc.asyncProperty(text, async (written) => {
        fc.pre(!hasDouble(written))
        expect(await outcome(written)).toEqual(outcomeOfParse(written))
      }),
      { numRuns: 2000 },
    )
  })

  it('reads strings, spaces and lists that are longer than a slice', async () => {
    const long = 'plain '.repeat(20_000) + '"\\ü\n'.repeat(20_000)
    const value = { [long]: [long, Array.from({ length: 50_000 }, (_, i) => i / 7)], a: null }
    expect(await parseStrictJson(JSON.stringify(value), limits)).toEqual(value)
    expect(await parseStrictJson(`${' '.repeat(100_000)}[1${'\n'.repeat(100_000)}]`, limits)).toEqual([1])
  })

  it('serves other events while it reads', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await parseStrictJson(`[${'1,'.repeat(2 ** 20)}1]`, limits)
    clearInterval(timer)
    expect(turns).toBeGreaterThan(4)
  })

  it('does not count colons and brackets inside strings', async () => {
    const text = '{"a:{[":"\\":{{{{"}'
    expect(await parseStrictJson(text, { depth: 1, names: 1 })).toEqual({ 'a:{[': '":{{{{' })
  })

  it('accepts the same name in different objects', async () => {
    expect(await parseStrictJson('[{"a":1},{"a":{"a":2}}]', limits)).toEqual([{ a: 1 }, { a: { a: 2 } }])
  })

  it('refuses a number of more digits than any double needs', async () => {
    await expect(parseStrictJson('1'.repeat(1e6), limits)).rejects.toThrow(SyntaxError)
  })

  it('refuses more names than allowed, at the first of them', async () => {
    await expect(parseStrictJson('{"a":{"b":1},"c":', { depth: 3, names: 2 })).rejects.toThrow('2 names')
  })

  it.each(['{"a":1,"a":1}', '[{"b":{"a":1,"\\u0061":2}}]', '{"__proto__":1}', '[[[[1]]]]', '{"a"}', ''])(
    'refuses %s',
    async (written) => {
      await expect(parseStrictJson(written, { depth: 3, names: 100 })).rejects.toThrow(SyntaxError)
    },
  )
})

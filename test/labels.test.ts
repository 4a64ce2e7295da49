import { setImmediate } from 'node:timers/promises'
import { describe, expect, test } from 'vitest'
import { checkClasses, checkSeveralClasses, toLabels, toPredictions } from '../lib/data/labels.js'
import { giveAway } from './give-away.js'
import { expectError, thrown } from './refusal.js'
import { rejection } from './sample.js'

const read = (labels: unknown, rows = 3, classes: number | readonly string[] = 3) =>
  toLabels('labels', labels, rows, classes, () => {})

describe('labels are copied as class numbers', () => {
  const kinds = [
    Uint8Array,
    Uint8ClampedArray,
    Int8Array,
    Uint16Array,
    Int16Array,
    Uint32Array,
    Int32Array,
    Array<number>,
  ]
  test.each(kinds.map((kind) => [kind.name, kind] as const))('from a %s', async (_, kind) => {
    const given = kind.of(2, 0, 1)
    const labels = await read(given)
    expect(labels).toEqual(Uint32Array.of(2, 0, 1))
    given[0] = 0
    expect(labels[0]).toBe(2)
  })

  test.each<[string, unknown]>([
    ['a BigInt64Array', BigInt64Array.of(2n, 0n, 1n)],
    ['a BigUint64Array', BigUint64Array.of(2n, 0n, 1n)],
    ['an array of BigInts', [2n, 0n, 1n]],
    ['an array of BigInts and numbers', [2, 0n, 1]],
  ])('from %s', async (_, given) => {
    expect(await read(given)).toEqual(Uint32Array.of(2, 0, 1))
  })

  test('from names, as their index in the classes', async () => {
    const classes = ['cat', '__proto__', 'dog']
    expect(await read(['dog', 'cat', '__proto__'], 3, classes)).toEqual(Uint32Array.of(2, 0, 1))
  })

  test('in slices, between which other events are served', async () => {
    const rows = 5_000_000
    let turns = 0
    const reading = read(new Uint8Array(rows).fill(1), rows).then(() => 'read')
    while ((await Promise.race([reading, setImmediate('turn')])) === 'turn') turns++
    expect(turns).toBeGreaterThanOrEqual(3)
  })

  test('until the function between slices throws', async () => {
    const reason = new Error('enough')
    let slices = 0
    const stop = () => {
      if (++slices === 2) throw reason
    }
    expect(await rejection(toLabels('labels', new Uint8Array(100_000), 100_000, 2, stop))).toBe(reason)
  })
})

describe('labels are refused', () => {
  const names = ['cat', 'dog', 'eel']
  const bad: [string, unknown, number | readonly string[], string, string][] = [
    ['that are none', undefined, 3, 'ERR_ARGUMENT', 'integer typed array'],
    ['as floats', new Float32Array(3), 3, 'ERR_ARGUMENT', 'a Float32Array of 3'],
    ['as BigInts below 0', BigInt64Array.of(0n, -1n, 2n), 3, 'ERR_RANGE', 'received -1n in row 1'],
    [
      'as BigInts that no number is',
      BigUint64Array.of(0n, 2n ** 64n - 1n, 2n),
      3,
      'ERR_RANGE',
      'from 0 to 2, received 18446744073709551615n in row 1',
    ],
    ['as BigInts, where classes are names', new BigInt64Array(3), names, 'ERR_ARGUMENT', 'class names'],
    ['as a proxy of an array of integers', new Proxy(new Uint8Array(3), {}), 3, 'ERR_ARGUMENT', 'labels: '],
    ['too few', Uint8Array.of(0, 1), 3, 'ERR_SHAPE', '3 labels, one a row'],
    ['too many', [0, 1, 2, 0], 3, 'ERR_SHAPE', '4 labels'],
    ['above the last class', Uint8Array.of(0, 1, 3), 3, 'ERR_RANGE', 'from 0 to 2, received 3 in row 2'],
    ['below 0', Int8Array.of(0, -1, 2), 3, 'ERR_RANGE', 'received -1 in row 1'],
    ['with a fraction', [0, 1.5, 2], 3, 'ERR_RANGE', 'received 1.5 in row 1'],
    ['with NaN', [0, 1, Number.NaN], 3, 'ERR_RANGE', 'received NaN in row 2'],
    ['with a hole', [0, undefined, 1], 3, 'ERR_ARGUMENT', 'received undefined in row 1'],
    ['with a BigInt above the last class', [0, 3n, 2], 3, 'ERR_RANGE', 'received 3n in row 1'],
    [
      'with a BigInt, where classes are names',
      ['cat', 1n, 'eel'],
      names,
      'ERR_ARGUMENT',
      'received 1n in row 1',
    ],
    ['with names, where classes is a number', ['cat', 'dog', 'eel'], 3, 'ERR_ARGUMENT', "'cat' in row 0"],
    ['with numbers, where classes are names', ['cat', 1, 'eel'], names, 'ERR_ARGUMENT', '1 in row 1'],
    ['as integers, where classes are names', new Uint8Array(3), names, 'ERR_ARGUMENT', 'class names'],
    ['with a name of no class', ['cat', 'dog', 'Eel'], names, 'ERR_RANGE', "'Eel' in row 2"],
  ]
  test.each(bad)('%s', async (_, labels, classes, code, message) => {
    const error = await rejection(read(labels, 3, classes))
    expectError(error, code, message)
  })

  test('with the row in the details', async () => {
    expect(await rejection(read([0, 1, 9]))).toMatchObject({
      details: { row: 2, received: 9, argument: 'labels' },
    })
  })

  test('that are transferred while they are read', async () => {
    const labels = new Uint8Array(100_000)
    const reading = rejection(read(labels, labels.length))
    giveAway(labels)
    expectError(await reading, 'ERR_STATE', 'labels: ')
  })

  test('for training if they are all of one class', async () => {
    const labels = Uint32Array.of(1, 0, 1)
    const rows = { data: new Float32Array(3), type: 'float32', rows: 3, cols: 1, scale: 1, labels } as const
    await checkSeveralClasses(rows, 2, () => {})
    const held = { ...rows, order: Uint32Array.of(0, 2) }
    expectError(
      await rejection(checkSeveralClasses(held, 2, () => {})),
      'ERR_RANGE',
      'class 1 in all 2 held-in rows',
    )
  })
})

describe('classes', () => {
  test('are a number of at least 2, or a copy of at least 2 names', () => {
    const names = ['no', 'yes']
    const checked = checkClasses('classes', names)
    names[0] = 'perhaps'
    expect(checked).toEqual(['no', 'yes'])
    expect(checkClasses('classes', 2)).toBe(2)
  })

  test.each([
    ['none', undefined, 'classes: '],
    ['one', 1, 'classes: '],
    ['a fraction', 2.5, 'classes: '],
    ['text', '10', 'classes: '],
    ['one name', ['one'], 'at least 2 names'],
    ['65,537 names', Array.from({ length: 65_537 }, (_, k) => `${k}`), 'can be numbered'],
    ['a name that stands twice', ['a', 'b', 'a'], 'classes[2]: expected a name other than that of class 0'],
    ['a number among the names', ['a', 1], 'classes[1]: '],
    ['a hole among the names', new Array(2), 'classes[0]: '],
  ])('refuse %s', (_, classes, message) => {
    expectError(
      thrown(() => checkClasses('classes', classes)),
      'ERR_ARGUMENT',
      message,
    )
  })

  test('are returned by name if they have names', async () => {
    expect(await toPredictions(Uint32Array.of(1, 0), 2)).toEqual(Uint32Array.of(1, 0))
    expect(await toPredictions(Uint32Array.of(1, 0), ['no', 'yes'])).toEqual(['yes', 'no'])
  })
})

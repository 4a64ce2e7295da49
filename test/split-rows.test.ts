import { expect, test } from 'vitest'
import { splitRows, splitRowsInSlices } from '../lib/data/split-rows.js'
import { binding } from '../lib/native/load.js'
import { permutation } from './oracle/random.js'
import { rejection } from './sample.js'

const ROWS = 140_001
const ORDER = permutation(ROWS, { seed: 7, stream: 2, index: 0 })

test.each([1, 3, 70_000])('a shuffle in steps of %i equals that of the generator', (step) => {
  const count = step === 1 ? 500 : ROWS
  const values = Uint32Array.from({ length: count }, (_, k) => k)
  for (let from = 0; from < count; from += step) binding().shuffle(values, from, from + step, 7, 2, 0)
  expect(values).toEqual(count === ROWS ? ORDER : permutation(count, { seed: 7, stream: 2, index: 0 }))
})

test.each([1e-9, 0.2, 0.5, 0.999999999])(
  'a split of %d in slices equals that at once: the first of a random order, sorted',
  async (fraction) => {
    const [part, rest] = splitRows('x', ROWS, fraction, 7)
    let slices = 0
    expect(await splitRowsInSlices('x', ROWS, fraction, 7, () => slices++)).toEqual([part, rest])
    expect(slices).toBeGreaterThan(6)
    const count = Math.min(ROWS - 1, Math.max(1, Math.round(ROWS * fraction)))
    expect(part).toEqual(ORDER.slice(0, count).sort())
    expect(rest).toEqual(ORDER.slice(count).sort())
  },
)

test('a split in slices rejects with the error of the function between slices', async () => {
  const reason = new Error('enough')
  const stop = () => {
    throw reason
  }
  expect(await rejection(splitRowsInSlices('x', ROWS, 0.5, 7, stop))).toBe(reason)
})

import { existsSync, mkdirSync, mkdtempSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import { type Dataset, Matrix, type Rows, StackedAutoencoder, type StackedFitOptions } from '../lib/index.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const place = () => join(mkdtempSync(join(root, 'stack-')), 'codes')
const [rows, cols] = [900, 8]
const x = Matrix.from(Float32Array.from(sampleRows(rows, cols).data), rows, cols)
const labels = Uint8Array.from({ length: rows }, (_, k) => k % 3)
const other = x.slice(0, 100)
const inFiles = (given: Matrix) => writeShards(place(), [given], undefined, 250 * cols * 4)
const options = { epochs: 3, batchSize: 64, shuffle: 'blocks' } as const

const stackAfter = async (given: Rows, more: StackedFitOptions = {}) => {
  const layers = [{ hidden: 6 }, { hidden: 5 }, { hidden: 3 }]
  const stack = new StackedAutoencoder({ inputs: cols, layers, seed: 4 })
  const histories = await stack.fit(given, { ...options, ...more } as StackedFitOptions)
  return {
    parameters: stack.parameters(),
    costs: histories.map(({ epochs }) => epochs.map(({ cost }) => cost)),
  }
}
const softmaxAfter = async (given: Rows, classes: Uint8Array, more: object = {}) => {
  const stack = new StackedAutoencoder({ inputs: cols, layers: [{ hidden: 6 }], seed: 4 })
  const classifier = stack.toClassifier({ classes: 3 })
  await classifier.fit(given, classes, { ...options, ...more })
  return classifier.parameters()
}

describe('a stack trained on rows of files has the bits of the same rows in memory', () => {
  test('with its codes in memory', async () => {
    expect(await stackAfter(await inFiles(x), { recompute: false })).toEqual(await stackAfter(x))
    expect(await softmaxAfter(await inFiles(x), labels, { recompute: false })).toEqual(
      await softmaxAfter(x, labels),
    )
  })

  test('with its codes in files', async () => {
    const given = await inFiles(x)
    for (const validation of [undefined, 0.2, other]) {
      const expected = await stackAfter(x, { validation })
      expect(await stackAfter(given, { codes: place(), validation })).toEqual(expected)
      expect(await stackAfter(x, { codes: place(), validation })).toEqual(expected)
    }
    const expected = await softmaxAfter(x, labels)
    expect(await softmaxAfter(given, labels, { codes: place() })).toEqual(expected)
  })

  test('with its codes computed again, which is the default', async () => {
    const given = await inFiles(x)
    const again = await stackAfter(x, { recompute: true })
    expect(await stackAfter(given)).toEqual(again)
    expect(await stackAfter(given, { recompute: true })).toEqual(again)
    expect(await softmaxAfter(given, labels)).toEqual(await softmaxAfter(x, labels, { recompute: true }))
  })
})

describe('the folder of codes', () => {
  test('has those of one layer at a time, and is removed at the end', async () => {
    const codes = place()
    const seen: string[][] = []
    await stackAfter(await inFiles(x), {
      ...{ codes, validation: other },
      onEpoch: ({ epoch }) => {
        if (epoch === 1) seen.push(existsSync(codes) ? readdirSync(codes).sort() : [])
      },
    })
    const both = ['layerwise-codes-of-training', 'layerwise-codes-of-validation']
    expect(seen).toEqual([[], both, both])
    expect(existsSync(codes)).toBe(false)
  })

  test('keeps what others put there, and loses the codes also after an abort', async () => {
    const codes = place()
    mkdirSync(join(codes, 'mine'), { recursive: true })
    const controller = new AbortController()
    const onEpoch = ({ layer }: { layer?: number }) => {
      if (layer === 2) controller.abort('enough')
    }
    const fit = stackAfter(await inFiles(x), { codes, signal: controller.signal, onEpoch } as never)
    expect(await rejection(fit)).toBe('enough')
    expect(readdirSync(codes)).toEqual(['mine'])
  })

  test.each([
    [{ codes: 3 }, 'codes: '],
    [{ codes: '/tmp', recompute: true }, "recompute: expected false beside 'codes'"],
    [{ codes: '/tmp', shuffle: 'rows' }, "shuffle: expected true, false or 'blocks'"],
  ])('is refused with %o', async (more, message) => {
    const error = await rejection(stackAfter(x, more as never))
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringContaining(message) })
  })

  test('is refused in a folder that does not exist', async () => {
    const error = await rejection(stackAfter(x, { codes: join(place(), 'codes') }))
    expect(error).toMatchObject({ code: 'ERR_ARGUMENT', message: expect.stringContaining('cannot write') })
  })
})

test('a stack is fine-tuned on rows of files to the bits of the same rows in memory', async () => {
  const tuned = async (given: Matrix | Dataset) => {
    const stack = new StackedAutoencoder({ inputs: cols, layers: [{ hidden: 5 }, { hidden: 3 }] })
    await stack.fineTune(given, options)
    return stack.parameters()
  }
  expect(await tuned(await inFiles(x))).toEqual(await tuned(x))
})

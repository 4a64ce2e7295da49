import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeEach, describe, expect, test, vi } from 'vitest'
import { sealed } from '../bench/prove/checkpoint-seal.js'
import { partsOfSafetensors, safetensorsOf } from '../bench/prove/mutate.js'
import {
  loadModel,
  Matrix,
  type ResumeOptions,
  resumeTraining,
  SoftmaxClassifier,
  SparseAutoencoder,
  StackedAutoencoder,
} from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { labeledRows } from './labeled-sample.js'
import { expectError } from './refusal.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const inputs = 6
const { x, labels } = labeledRows(40, inputs, 3)
const { x: other, labels: otherLabels } = labeledRows(40, inputs, 3, 5)
const weights = Float64Array.from({ length: 40 }, (_, i) => 1 + (i % 3))
const reason = new Error('stopped')

let path = ''
let number = 0
beforeEach(() => {
  path = join(folder, `${number++}.checkpoint`)
})

/** Options of a training that its second epoch interrupts. */
function interruption(more: object = {}) {
  const controller = new AbortController()
  const onEpoch = ({ epoch }: { epoch: number }) => void (epoch === 2 && controller.abort(reason))
  return { epochs: 6, checkpoint: { path }, signal: controller.signal, onEpoch, ...more }
}

const learningRate = () => 0.1

/** Options with which what was interrupted by {@link interruption} goes on. */
const on: ResumeOptions = { signal: null, onEpoch: null }

async function interrupted(more: object = {}): Promise<void> {
  const model = new SparseAutoencoder({ inputs, hidden: 3 })
  expect(await rejection(model.fit(x, interruption(more)))).toBe(reason)
}

async function interruptedClassifier(more: object = {}): Promise<void> {
  const model = new SoftmaxClassifier({ inputs, classes: 3 })
  expect(await rejection(model.fit(x, labels, interruption(more)))).toBe(reason)
}

describe('resumeTraining names what the training had and is missing:', () => {
  test.each<[string, ResumeOptions, object?]>([
    ['onEpoch', { signal: null }],
    ['signal', { onEpoch: null }],
    ['onProgress', on, { onProgress: () => {} }],
    ['validation', on, { validation: other }],
    ['rowWeights', on, { rowWeights: weights }],
    ['learningRate', on, { learningRate: () => 0.1 }],
  ])('%s', async (name, options, more = {}) => {
    await interrupted(more)
    expectError(
      await rejection(resumeTraining(path, x, options)),
      'ERR_ARGUMENT',
      `${name}: expected what the training was begun with`,
    )
  })

  test('labels', async () => {
    await interruptedClassifier()
    expectError(await rejection(resumeTraining(path, x, on)), 'ERR_ARGUMENT', 'labels: expected what')
  })

  test('the learning rate of one layer', async () => {
    const stack = new StackedAutoencoder({ inputs, layers: [{ hidden: 4 }, { hidden: 3 }] })
    await rejection(stack.fit(x, { ...interruption(), layers: [{}, { learningRate: () => 0.1 }] }))
    const message = 'layers[1].learningRate: expected what the training was begun with'
    expectError(await rejection(resumeTraining(path, x, { ...on, layers: [{}] })), 'ERR_ARGUMENT', message)
  })
})

describe('resumeTraining refuses what the training did not have:', () => {
  test.each([
    ['validation', { validation: other }],
    ['rowWeights', { rowWeights: weights }],
    ['learningRate', { learningRate: () => 0.1 }],
    ['labels', { labels }],
  ] as const)('%s', async (name, more) => {
    await interrupted()
    expectError(
      await rejection(resumeTraining(path, x, { ...on, ...more })),
      'ERR_ARGUMENT',
      `${name}: expected nothing`,
    )
  })

  test.each<[string, string, object]>([
    ['a rate that is no function', 'learningRate: expected a function', { learningRate: 0.1 }],
    ['layers', 'layers: expected nothing', { layers: [{}] }],
    ['fewer epochs than are done', 'epochs: expected at least 2', { epochs: 1 }],
  ])('%s', async (_, message, more) => {
    await interrupted()
    expectError(await rejection(resumeTraining(path, x, { ...on, ...more })), 'ERR_ARGUMENT', message)
  })

  test.each<[string, string, unknown]>([
    ['too many layers', 'layers: expected an array of at most 2 layers', [{}, { learningRate }, {}]],
    [
      'a rate that the file has',
      'layers[0].learningRate: expected nothing',
      [{ learningRate }, { learningRate }],
    ],
    [
      'a rate that is no function',
      'layers[1].learningRate: expected a function',
      [{}, { learningRate: 0.1 }],
    ],
    ['an unknown option', "layers[1]: unknown option 'epochs'", [{}, { learningRate, epochs: 9 }]],
  ])('of the layers of a stack: %s', async (_, message, layers) => {
    const stack = new StackedAutoencoder({ inputs, layers: [{ hidden: 4 }, { hidden: 3 }] })
    await rejection(stack.fit(x, { ...interruption(), layers: [{}, { learningRate }] }))
    const options = { ...on, layers } as ResumeOptions
    expectError(await rejection(resumeTraining(path, x, options)), 'ERR_ARGUMENT', message)
  })

  test('an unknown option', async () => {
    await interrupted()
    const options = { ...on, batchSize: 7 } as ResumeOptions
    expectError(
      await rejection(resumeTraining(path, x, options)),
      'ERR_ARGUMENT',
      "unknown option 'batchSize'",
    )
  })

  test('epochs for the layers of a stack', async () => {
    const stack = new StackedAutoencoder({ inputs, layers: [{ hidden: 4 }, { hidden: 3 }] })
    await rejection(stack.fit(x, interruption()))
    expectError(
      await rejection(resumeTraining(path, x, { ...on, epochs: 9 })),
      'ERR_ARGUMENT',
      'epochs: expected nothing',
    )
  })
})

describe('resumeTraining refuses', () => {
  test('other rows', async () => {
    await interrupted()
    const message = 'x: expected the rows of this training, received rows with other numbers'
    expectError(await rejection(resumeTraining(path, other, on)), 'ERR_STATE', message)
  })

  test('one other number, in the last row', async () => {
    await interrupted()
    const data = Float64Array.from(x.data)
    data[data.length - 1] = 0.5
    expectError(
      await rejection(resumeTraining(path, Matrix.from(data, x.rows, inputs), on)),
      'ERR_STATE',
      'other numbers',
    )
  })

  test.each([
    ['fewer rows', x.slice(0, 30), '30 × 6 numbers in float64'],
    ['another storage type', Matrix.from(Float32Array.from(x.data), 40, inputs), '40 × 6 numbers in float32'],
  ])('%s', async (_, rows, received) => {
    await interrupted()
    const message = `x: expected the rows of this training, 40 × 6 numbers in float64, received ${received}`
    expectError(await rejection(resumeTraining(path, rows, on)), 'ERR_STATE', message)
  })

  test('another scale', async () => {
    const bytes = Uint8Array.from(x.data, (value) => 255 * value)
    const scaled = (scale: number) => Matrix.from(bytes, x.rows, inputs, { scale })
    const model = new SparseAutoencoder({ inputs, hidden: 3 })
    expect(await rejection(model.fit(scaled(1 / 256), interruption()))).toBe(reason)
    const message = 'uint8 times 0.00390625, received 40 × 6 numbers in uint8 times 0.001'
    expectError(await rejection(resumeTraining(path, scaled(0.001), on)), 'ERR_STATE', message)
  })

  test('other labels', async () => {
    await interruptedClassifier()
    const changed = labels.slice().reverse()
    const message = 'labels: expected the labels of this training, received others'
    expectError(await rejection(resumeTraining(path, x, { ...on, labels: changed })), 'ERR_STATE', message)
  })

  test('other row weights', async () => {
    await interrupted({ rowWeights: weights })
    const rowWeights = weights.map((weight) => weight + 1)
    const message = 'rowWeights: expected the rowWeights of this training, received others'
    expectError(await rejection(resumeTraining(path, x, { ...on, rowWeights })), 'ERR_STATE', message)
  })

  test('other validation rows', async () => {
    await interrupted({ validation: other })
    const message = 'validation: expected the rows of this training, received rows with other numbers'
    expectError(await rejection(resumeTraining(path, x, { ...on, validation: x })), 'ERR_STATE', message)
  })

  test('other labels of validation rows', async () => {
    await interruptedClassifier({ validation: { x: other, labels: otherLabels } })
    const validation = { x: other, labels: otherLabels.slice().reverse() }
    const message = 'validation.labels: expected the labels of this training, received others'
    expectError(await rejection(resumeTraining(path, x, { ...on, labels, validation })), 'ERR_STATE', message)
  })

  test.each(['openblas', 'kernel', 'vectors'] as const)('another %s, unless it is accepted', async (name) => {
    const before = binding().runtime()
    const other = { ...before, [name]: 'another' } as typeof before
    vi.spyOn(binding(), 'runtime').mockReturnValue(other)
    await interrupted()
    vi.restoreAllMocks()
    const error = await rejection(resumeTraining(path, x, on))
    expectError(
      error,
      'ERR_STATE',
      `another instead of ${before[name]}, whose bits differ; acceptOtherKernel: true`,
    )
    const { history } = await resumeTraining(path, x, { ...on, acceptOtherKernel: true })
    expect(history.epochs).toHaveLength(6)
  })

  test('a saved model, and loadModel a checkpoint', async () => {
    await interrupted()
    const model = join(folder, 'model.safetensors')
    await new SparseAutoencoder({ inputs, hidden: 3 }).save(model)
    expectError(await rejection(resumeTraining(model, x)), 'ERR_FORMAT', 'it is a saved model, no checkpoint')
    expectError(await rejection(loadModel(path)), 'ERR_FORMAT', 'resumeTraining goes on with it')
  })

  test('a file of another kind, and one that is not there', async () => {
    writeFileSync(path, 'something else that is long enough')
    expectError(await rejection(resumeTraining(path, x)), 'ERR_FORMAT', 'it is no safetensors file')
    expectError(await rejection(resumeTraining(`${path}.not`, x)), 'ERR_ARGUMENT', 'path: cannot read')
  })

  test('a file of a newer format', async () => {
    await interrupted()
    const bytes = readFileSync(path)
    const at = bytes.indexOf(String.raw`{\"format\":1`)
    bytes.write('9', at + String.raw`{\"format\":`.length)
    writeFileSync(path, bytes)
    expectError(await rejection(resumeTraining(path, x, on)), 'ERR_FORMAT', 'its format is 9')
  })
})

describe('a file that was changed is refused, wherever that was:', () => {
  test('at any byte', async () => {
    await interrupted()
    const bytes = readFileSync(path)
    const damaged = `${path} damaged`
    for (let at = 0; at < bytes.length; at += 61) {
      const copy = Buffer.from(bytes)
      copy[at]! ^= 1
      writeFileSync(damaged, copy)
      expect(await rejection(resumeTraining(damaged, x, on)), `byte ${at}`).toMatchObject({
        code: 'ERR_FORMAT',
      })
    }
  })

  test.each(['run', 'kernels', 'method', 'options', 'carried', 'data', 'phases', 'phaseCount', 'integers'])(
    'at its %s, also if its checksum is right',
    async (field) => {
      await interrupted()
      const bytes = readFileSync(path)
      for (const value of [undefined, null, -1, 'x', [], {}, [null], { x: [] }]) {
        const { header, numbers } = partsOfSafetensors(bytes)
        const texts = header.__metadata__ as Record<string, string>
        const said = JSON.parse(texts['layerwise.checkpoint']!) as Record<string, unknown>
        if (typeof said[field] === typeof value && Array.isArray(said[field]) === Array.isArray(value))
          continue
        texts['layerwise.checkpoint'] = JSON.stringify({ ...said, [field]: value })
        writeFileSync(path, sealed(safetensorsOf(header, numbers)))
        expectError(await rejection(resumeTraining(path, x, on)), 'ERR_FORMAT', `its ${field} are `)
      }
    },
  )

  test('at numbers that are not finite, which no training writes, also if their checksum is right', async () => {
    await interrupted()
    const bytes = readFileSync(path)
    const arrays = ['job.parameters', 'job.adam.firstMoment', 'model.layers.0.weights']
    for (const name of arrays) {
      for (const value of [NaN, Infinity]) {
        const { header, numbers } = partsOfSafetensors(Buffer.from(bytes))
        const { data_offsets } = header[name] as { data_offsets: [number, number] }
        numbers.writeFloatLE(value, data_offsets[0] + 4)
        writeFileSync(path, sealed(safetensorsOf(header, numbers)))
        const error = await rejection(resumeTraining(path, x, on))
        expectError(error, 'ERR_FORMAT', `'${name}' has numbers that are not finite`)
      }
    }
  })

  test('cut anywhere', async () => {
    await interrupted()
    const bytes = readFileSync(path)
    const damaged = `${path} damaged`
    for (let length = 0; length < bytes.length; length += 97) {
      writeFileSync(damaged, bytes.subarray(0, length))
      expect(await rejection(resumeTraining(damaged, x, on)), `${length}`).toMatchObject({
        code: 'ERR_FORMAT',
      })
    }
  })
})

describe('fit refuses', () => {
  const begin = (checkpoint: object) =>
    new SparseAutoencoder({ inputs, hidden: 3 }).fit(x, { checkpoint } as object)

  test.each([
    ['no path', {}, 'checkpoint.path: expected a path'],
    ['negative seconds', { path: 'x', everySeconds: -1 }, 'checkpoint.everySeconds: expected'],
    ['no steps', { path: 'x', everySteps: 0 }, 'checkpoint.everySteps: expected'],
    ['half epochs', { path: 'x', everyEpochs: 0.5 }, 'checkpoint.everyEpochs: expected'],
    ['to keep none', { path: 'x', keep: 0 }, 'checkpoint.keep: expected'],
    ['an unknown option', { path: 'x', each: 1 }, "checkpoint: unknown option 'each'"],
    ['a folder that is not there', { path: join(folder, 'no', 'run') }, 'path: cannot write'],
  ])('%s', async (_, checkpoint, message) => {
    expectError(await rejection(begin(checkpoint)), 'ERR_ARGUMENT', message)
  })

  test('to replace what is no checkpoint, before it trains', async () => {
    writeFileSync(path, 'notes')
    const error = await rejection(begin({ path }))
    expectError(error, 'ERR_STATE', 'is not replaced: it holds no checkpoint')
    expect(readFileSync(path, 'utf8')).toBe('notes')
  })

  test('to replace the checkpoint of a training that is not finished', async () => {
    await interrupted()
    const before = readFileSync(path)
    expectError(await rejection(begin({ path })), 'ERR_STATE', 'it holds a training that is not finished')
    expect(readFileSync(path).equals(before)).toBe(true)
  })

  test('not to replace that of one that is', async () => {
    await begin({ path })
    const before = readFileSync(path)
    await begin({ path })
    expect(readFileSync(path).equals(before)).toBe(false)
  })
})

describe('a second training on the same file is ERR_BUSY, and does not train,', () => {
  test('by fit and by resumeTraining', async () => {
    const copy = `${path} copy`
    await interrupted()
    copyFileSync(path, copy)
    let resume = () => {}
    const held = new Promise<void>((resolve) => {
      resume = resolve
    })
    let reached = () => {}
    const training = new Promise<void>((resolve) => {
      reached = resolve
    })
    const onEpoch = () => {
      reached()
      return held
    }
    const first = resumeTraining(path, x, { ...on, onEpoch })
    await training
    const model = new SparseAutoencoder({ inputs, hidden: 3 })
    const before = model.parameters()
    const message = 'is being written by another training'
    expectError(await rejection(model.fit(x, { checkpoint: { path } })), 'ERR_BUSY', message)
    expect(model.parameters()).toEqual(before)
    expectError(await rejection(resumeTraining(path, x, on)), 'ERR_BUSY', message)
    resume()
    expect((await first).history.epochs).toHaveLength(6)
    expect((await resumeTraining(path, x, on)).history.epochs).toHaveLength(6)
    expect(existsSync(join(folder, `.${path.slice(folder.length + 1)}.lock`))).toBe(false)
  })
})

test('resumeTraining that is aborted does not wait for onModel', async () => {
  await interrupted()
  const controller = new AbortController()
  const onModel = () => {
    setTimeout(() => controller.abort(reason), 5)
    return new Promise<void>(() => {})
  }
  const resumed = resumeTraining(path, x, { onEpoch: null, signal: controller.signal, onModel })
  expect(await rejection(resumed)).toBe(reason)
})

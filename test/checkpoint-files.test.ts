import { constants } from 'node:buffer'
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import {
  type FitOptions,
  openDataset,
  type Rows,
  resumeTraining,
  SparseAutoencoder,
  StackedAutoencoder,
  type TrainingHistory,
  writeDataset,
} from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { untimed } from './checkpoint-cases.js'
import { expectError } from './refusal.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const all = temporaryFolder()
const inputs = 8
const x = sampleRows(64, inputs)
const reason = new Error('stopped')
const create = () => new SparseAutoencoder({ inputs, hidden: 5, seed: 2 })
const short = { epochs: 12, batchSize: 16, learningRate: 0.01 }

let folder = ''
let path = ''
beforeEach(() => {
  folder = mkdtempSync(join(all, 'one-'))
  path = join(folder, 'run.checkpoint')
})
afterEach(() => void vi.restoreAllMocks())

/** Interrupts a training after each epoch up to this one: as many files are written. */
async function interruptedAt(
  last: number,
  options: FitOptions = short,
  keep = 1,
  rows: Rows = x,
): Promise<void> {
  for (let stop = 1; stop <= last; stop++) {
    const controller = new AbortController()
    const onEpoch = () => controller.abort(reason)
    const more = { signal: controller.signal, onEpoch }
    const training =
      stop === 1
        ? create().fit(rows, { ...options, ...more, checkpoint: { path, keep } } as FitOptions)
        : resumeTraining(path, rows, more)
    expect(await rejection(training)).toBe(reason)
  }
}

const on = { signal: null, onEpoch: null }

describe('a finished training', () => {
  test('is returned as it is, and its file is not written again', async () => {
    const model = create()
    const history = await model.fit(x, { ...short, checkpoint: { path } })
    const { ino, mtimeMs } = statSync(path)
    for (let again = 0; again < 2; again++) {
      const resumed = await resumeTraining(path, x)
      expect(resumed.history).toEqual(history)
      expect(resumed.model.parameters()).toEqual(model.parameters())
    }
    expect(statSync(path)).toMatchObject({ ino, mtimeMs })
  })

  test('goes on with more epochs, as though it had had them', async () => {
    const whole = create()
    const history = await whole.fit(x, { ...short, epochs: 20 })
    await create().fit(x, { ...short, checkpoint: { path } })
    const resumed = await resumeTraining(path, x, { epochs: 20 })
    expect(untimed(resumed.history)).toEqual(untimed(history))
    expect(resumed.model.parameters()).toEqual(whole.parameters())
    expect((await resumeTraining(path, x)).history.epochs).toHaveLength(20)
  })

  test('whose steps followed from few rows goes on with the same', async () => {
    const whole = create()
    const history = await whole.fit(x, { learningRate: 0.01 })
    const longer = create()
    await longer.fit(x, { learningRate: 0.01, checkpoint: { path } })
    const { epochs } = (await resumeTraining(path, x, { epochs: history.epochs.length + 2 })).history
    expect(epochs).toHaveLength(history.epochs.length + 2)
    expect((await resumeTraining(path, x)).history.epochs).toHaveLength(epochs.length)
    expect(longer.parameters()).toEqual(whole.parameters())
  })

  test('of lbfgs goes on with more iterations', async () => {
    const lbfgs = (maxIterations: number) => ({ optimizer: { kind: 'lbfgs', maxIterations } }) as const
    const whole = create()
    await whole.fit(x, lbfgs(9))
    await create().fit(x, { ...lbfgs(4), checkpoint: { path } })
    const resumed = await resumeTraining(path, x, { epochs: 9 })
    expect(resumed.model.parameters()).toEqual(whole.parameters())
  })
})

test('a folder that was moved holds the same training', async () => {
  const whole = create()
  await whole.fit(x, short)
  await interruptedAt(3)
  const moved = join(all, 'moved')
  renameSync(folder, moved)
  const { model } = await resumeTraining(join(moved, 'run.checkpoint'), x, on)
  expect(model.parameters()).toEqual(whole.parameters())
  expect(readdirSync(moved)).toEqual(['run.checkpoint'])
})

test('the model is handed out before training goes on', async () => {
  await interruptedAt(3)
  let first: Float32Array | undefined
  const onModel = (model: { parameters(): Float32Array | Float64Array }) => {
    first = model.parameters() as Float32Array
  }
  const { model } = await resumeTraining(path, x, { ...on, onModel })
  expect(first).toHaveLength(model.parameters().length)
  expect(first).not.toEqual(model.parameters())
})

describe('keep', () => {
  test('leaves the last files under numbers that rise, and touches no other file', async () => {
    const foreign = {
      'run.checkpoint.2': 'notes',
      'run.checkpoint.old': 'more',
      'run.checkpoint.03': 'yet more',
    }
    for (const [name, text] of Object.entries(foreign)) writeFileSync(join(folder, name), text)
    await interruptedAt(8, short, 3)
    const own = readdirSync(folder).filter((name) => !Object.hasOwn(foreign, name))
    expect(own).toHaveLength(3)
    expect(own).toContain('run.checkpoint')
    for (const [name, text] of Object.entries(foreign))
      expect(readFileSync(join(folder, name), 'utf8')).toBe(text)
    const whole = create()
    await whole.fit(x, short)
    const elsewhere = mkdtempSync(join(all, 'elsewhere-'))
    for (const name of own) {
      copyFileSync(join(folder, name), join(elsewhere, name))
      const { model } = await resumeTraining(join(elsewhere, name), x, on)
      expect(model.parameters()).toEqual(whole.parameters())
    }
  })

  test('goes on counting in a resumed training, and leaves the files of another training', async () => {
    await interruptedAt(6, short, 2)
    const [older = ''] = readdirSync(folder).filter((name) => name !== 'run.checkpoint')
    const other = join(folder, `run.checkpoint.${Number(older.split('.').at(-1)) + 1}`)
    await create().fit(x, { epochs: 1, checkpoint: { path: other } })
    const before = readFileSync(other)
    await resumeTraining(path, x, on)
    const names = readdirSync(folder)
    expect(names).toHaveLength(3)
    expect(names).not.toContain(older)
    expect(readFileSync(other).equals(before)).toBe(true)
  })
})

test('a damaged newest file is named together with the older ones that are whole', async () => {
  await interruptedAt(8, short, 4)
  const older = readdirSync(folder).filter((name) => name !== 'run.checkpoint')
  older.sort((a, b) => Number(b.split('.').at(-1)) - Number(a.split('.').at(-1)))
  expect(older).toHaveLength(3)
  const damaged = [path, join(folder, older[1]!)]
  for (const file of damaged) writeFileSync(file, readFileSync(file).subarray(0, -1))
  const whole = [older[0]!, older[2]!].map((name) => `'${join(folder, name)}'`).join(', ')
  const error = await rejection(resumeTraining(path, x, on))
  expectError(error, 'ERR_FORMAT', `'${path}': `)
  expectError(error, 'ERR_FORMAT', `older checkpoints beside it that are whole: ${whole}`)
  expect((await resumeTraining(join(folder, older[0]!), x, on)).history.epochs).toHaveLength(short.epochs)
})

describe('a checkpoint that cannot be written', () => {
  test('ends the training with ERR_FILE, and leaves model and file', async () => {
    const gone = join(folder, 'gone')
    mkdirSync(gone)
    const model = create()
    const onEpoch = async ({ epoch }: { epoch: number }) => {
      await setTimeout(10)
      if (epoch === 3) rmSync(gone, { recursive: true })
    }
    const checkpoint = { path: join(gone, 'run'), everySeconds: 0 }
    const error = await rejection(model.fit(x, { ...short, epochs: 1000, onEpoch, checkpoint }))
    expectError(error, 'ERR_FILE', 'this checkpoint cannot be written')
    expect((error as Error).cause).toMatchObject({ code: 'ENOENT' })
    expect((await model.fit(x, short)).epochs).toHaveLength(short.epochs)
  })

  test('is told of an abort too', async () => {
    const gone = join(folder, 'gone')
    mkdirSync(gone)
    const controller = new AbortController()
    const onEpoch = () => {
      rmSync(gone, { recursive: true })
      controller.abort(reason)
    }
    const more = { signal: controller.signal, onEpoch, checkpoint: { path: join(gone, 'run') } }
    expectError(await rejection(create().fit(x, { ...short, ...more })), 'ERR_FILE', 'cannot be written')
  })

  test.skipIf(process.getuid?.() === 0)('because of its folder is refused before training', async () => {
    chmodSync(folder, 0o500)
    expectError(await rejection(create().fit(x, { checkpoint: { path } })), 'ERR_ARGUMENT', 'cannot write')
  })
})

test('a checkpoint that the disk cannot read is not called damaged', async () => {
  await create().fit(x, { epochs: 1, checkpoint: { path } })
  const handle = await open(path)
  const prototype = Object.getPrototypeOf(handle) as FileHandle
  await handle.close()
  const failed = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })
  vi.spyOn(prototype, 'read').mockRejectedValue(failed)
  const error = await rejection(create().fit(x, { epochs: 1, checkpoint: { path } }))
  expectError(error, 'ERR_ARGUMENT', 'cannot read')
  expect((error as Error).cause).toBe(failed)
})

test('parameters that are not finite are not written', async () => {
  const { trainSpan } = binding()
  vi.spyOn(binding(), 'trainSpan').mockImplementation(async (job, span) => {
    const parts = await trainSpan(job, span)
    const state = parts.at(-1)?.state
    if (state) (state.parameters as Float32Array)[3] = Number.NaN
    return parts
  })
  await create().fit(x, { ...short, checkpoint: { path, everySeconds: 0 } })
  expect(readdirSync(folder)).toEqual([])
})

describe('an abort', () => {
  test('in onEpoch is written with that epoch', async () => {
    await interruptedAt(5)
    const epochs: number[] = []
    const onEpoch = ({ epoch }: { epoch: number }) => void epochs.push(epoch)
    const { history } = await resumeTraining(path, x, { signal: null, onEpoch })
    expect(epochs).toEqual([6, 7, 8, 9, 10, 11, 12])
    expect(history.epochs.map(({ epoch }) => epoch)).toEqual([1, 2, 3, 4, 5, ...epochs])
  })

  test('while validation rows are measured is written, and the epoch is not trained again', async () => {
    const options = { ...short, validation: 0.25 }
    const whole = create()
    const expected = await whole.fit(x, options)
    const { evaluate } = binding()
    const controller = new AbortController()
    let measured = 0
    const spy = vi.spyOn(binding(), 'evaluate').mockImplementation((request) => {
      measured++
      if (measured === 4) controller.abort(reason)
      return evaluate(request)
    })
    const fit = create().fit(x, { ...options, signal: controller.signal, checkpoint: { path } })
    expect(await rejection(fit)).toBe(reason)
    spy.mockRestore()
    const epochs: number[] = []
    const onEpoch = ({ epoch }: { epoch: number }) => void epochs.push(epoch)
    const { model, history } = await resumeTraining(path, x, { signal: null, onEpoch })
    expect(epochs[0]).toBe(4)
    expect(untimed(history)).toEqual(untimed(expected))
    expect(model.parameters()).toEqual(whole.parameters())
  })

  test('after the last epoch leaves a training that is finished by resuming it', async () => {
    await interruptedAt(short.epochs)
    await resumeTraining(path, x, { signal: null, onEpoch: null })
    const history = await create().fit(x, { ...short, checkpoint: { path } })
    expect(history.epochs).toHaveLength(short.epochs)
  })

  test('before training begins writes nothing', async () => {
    const controller = new AbortController()
    const fit = create().fit(x, { ...short, signal: controller.signal, checkpoint: { path } })
    controller.abort(reason)
    expect(await rejection(fit)).toBe(reason)
    expect(readdirSync(folder)).toEqual([])
  })

  test('of a resumed training that has not begun leaves the file as it was', async () => {
    await interruptedAt(3)
    const before = readFileSync(path)
    const controller = new AbortController()
    const resumed = resumeTraining(path, x, { onEpoch: null, signal: controller.signal })
    controller.abort(reason)
    expect(await rejection(resumed)).toBe(reason)
    expect(readFileSync(path).equals(before)).toBe(true)
  })
})

describe('an abort of a stack', () => {
  const layers = [{ hidden: 6 }, { hidden: 4 }]
  const options = { epochs: 5, batchSize: 16 }
  const createStack = () => new StackedAutoencoder({ inputs, layers, seed: 4 })

  test.each([{ recompute: false }, { recompute: true }])(
    'between its layers ($recompute) leaves those that are done',
    async (more) => {
      const whole = createStack()
      const expected = await whole.fit(x, { ...options, ...more })
      const controller = new AbortController()
      // What follows when the first layer is written: its codes, or the look at the rows that they are made of.
      const call = more.recompute ? 'scan' : 'forward'
      const original = binding()[call] as (request: object) => Promise<never>
      const spy = vi.spyOn(binding(), call).mockImplementation(((request: object) => {
        if (existsSync(path)) controller.abort(reason)
        return original(request)
      }) as never)
      const stack = createStack()
      const checkpoint = { path }
      const fit = stack.fit(x, { ...options, ...more, signal: controller.signal, checkpoint })
      expect(await rejection(fit)).toBe(reason)
      expect(stack.trainedLayers).toBe(1)
      spy.mockRestore()
      const trained: (number | undefined)[] = []
      const onEpoch = ({ layer }: { layer?: number }) => void trained.push(layer)
      const resumed = await resumeTraining<TrainingHistory[]>(path, x, { signal: null, onEpoch })
      expect(new Set(trained)).toEqual(new Set([2]))
      expect(resumed.history.map(untimed)).toEqual(expected.map(untimed))
      expect(resumed.model.parameters()).toEqual(whole.parameters())
      expect((resumed.model as StackedAutoencoder).trainedLayers).toBe(2)
    },
  )
})

test('an abort amid a line search is written at the last iteration', async () => {
  const many = sampleRows(40_000, inputs)
  const options = { optimizer: { kind: 'lbfgs', maxIterations: 6, tolerance: 0 } } as const
  const whole = create()
  await whole.fit(many, options)
  const { trainSpan } = binding()
  const controller = new AbortController()
  vi.spyOn(binding(), 'trainSpan').mockImplementation((job, span) => {
    // The fourth iteration is at work when this has been handed over.
    if (span.epoch === 3) setImmediate(() => controller.abort(reason))
    return trainSpan(job, span)
  })
  const more = { signal: controller.signal, onEpoch: () => {}, checkpoint: { path } }
  expect(await rejection(create().fit(many, { ...options, ...more }))).toBe(reason)
  const { model, history } = await resumeTraining(path, many, on)
  expect(history.epochs).toHaveLength(6)
  expect(model.parameters()).toEqual(whole.parameters())
})

test.skipIf(constants.MAX_LENGTH > 2 ** 40)(
  'a state that no array can hold is refused before training',
  async () => {
    const model = new SparseAutoencoder({ inputs: 1000, hidden: 3000 })
    const rows = sampleRows(2, 1000)
    const optimizer = { kind: 'lbfgs', history: 1000 } as const
    const error = await rejection(model.fit(rows, { optimizer, checkpoint: { path } }))
    expectError(error, 'ERR_MEMORY', 'checkpoint: a typed array of Node')
    expect(readdirSync(folder)).toEqual([])
  },
)

describe('rows in files', () => {
  const options = { ...short, validation: 0.2 }

  test('are the same after they were moved, and train to the same bits', async () => {
    const data = await writeDataset(join(folder, 'rows'), [x])
    const whole = create()
    await whole.fit(data, options)
    await interruptedAt(4, options, 1, data)
    await data.close()
    renameSync(join(folder, 'rows'), join(folder, 'moved'))
    const { model } = await resumeTraining(path, await openDataset(join(folder, 'moved')), on)
    expect(model.parameters()).toEqual(whole.parameters())
  })

  test('are refused with other numbers, and in memory', async () => {
    const data = await writeDataset(join(folder, 'rows'), [x])
    await interruptedAt(4, options, 1, data)
    const other = await writeDataset(join(folder, 'other'), [sampleRows(64, inputs, 7)])
    expectError(await rejection(resumeTraining(path, other, on)), 'ERR_STATE', 'rows with other numbers')
    const slice = data.slice(1, 63)
    expectError(
      await rejection(resumeTraining(path, slice, on)),
      'ERR_STATE',
      'x: expected the rows of this training',
    )
    const message = '64 × 8 numbers in float64, in files, received 64 × 8 numbers in float64'
    expectError(await rejection(resumeTraining(path, x, on)), 'ERR_STATE', message)
  })
})

describe('a process that is killed while it writes checkpoints', () => {
  const running: ChildProcess[] = []
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL')
  })

  /** A process that trains until it is killed. */
  async function training(): Promise<ChildProcess> {
    const code = `
      import { existsSync } from 'node:fs'
      import { resumeTraining, SparseAutoencoder } from ${JSON.stringify(new URL('../lib/index.ts', import.meta.url))}
      import { sampleRows } from ${JSON.stringify(new URL('./sample.ts', import.meta.url))}
      const path = ${JSON.stringify(path)}
      const x = sampleRows(64, 200)
      const onEpoch = ({ epoch }) => epoch % 10 === 1 && console.log(epoch)
      if (existsSync(path)) await resumeTraining(path, x, { onEpoch })
      const model = new SparseAutoencoder({ inputs: 200, hidden: 300, seed: 2 })
      await model.fit(x, { epochs: 100000, batchSize: 16, onEpoch, checkpoint: { path, everySeconds: 0, keep: 2 } })`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code])
    running.push(child)
    child.stderr.pipe(process.stderr)
    await once(child.stdout, 'data')
    return child
  }

  test('leaves a whole file, a free lock, and after the next training nothing else', async () => {
    const big = sampleRows(64, 200)
    for (let kill = 0; kill < 4; kill++) {
      const child = await training()
      while (!readdirSync(folder).includes('run.checkpoint')) await setTimeout(5)
      await setTimeout(17 * kill)
      child.kill('SIGKILL')
      await once(child, 'exit')
      const controller = new AbortController()
      const onProgress = () => controller.abort(reason)
      const more = { onEpoch: null, onProgress, signal: controller.signal }
      expect(await rejection(resumeTraining(path, big, more))).toBe(reason)
    }
    expect(readdirSync(folder).filter((name) => !/^run\.checkpoint(\.\d+)?$/.test(name))).toEqual([])
  })
})

import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { type FileHandle, open } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, it, test } from 'vitest'
import { writeShards } from '../lib/data/dataset/write-dataset.js'
import { Dataset, Matrix, openDataset, writeDataset } from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const parent = () => mkdtempSync(join(root, 'folder-'))
const place = () => join(parent(), 'data')
const listed = (folder: string) => readdirSync(folder).sort()
const library = fileURLToPath(new URL('../lib/index.ts', import.meta.url))
const x = Matrix.from(
  Float32Array.from({ length: 12 }, (_, k) => k),
  6,
  2,
)

/** A folder with a dataset, and a check that it is still as it was. */
async function oldDataset() {
  const folder = place()
  await writeShards(folder, [x], {}, 16)
  const files = listed(folder)
  const manifest = readFileSync(join(folder, 'dataset.json'))
  return {
    folder,
    async expectUnchanged() {
      expect(listed(folder)).toEqual(files)
      expect(readFileSync(join(folder, 'dataset.json'))).toEqual(manifest)
      const dataset = await openDataset(folder)
      await dataset.verify()
      expect((await dataset.read(0)).data).toEqual(x.data)
    },
  }
}

async function* endless(made = { count: 0 }, each: () => unknown = () => {}) {
  for (;;) {
    made.count++
    yield x
    await each()
  }
}

describe.each([{ append: false }, { append: true }])('writing with %o that ends early', (options) => {
  it('by an abort leaves what was there before, and tells the source', async () => {
    const { folder, expectUnchanged } = await oldDataset()
    const controller = new AbortController()
    let told = false
    async function* source() {
      try {
        yield* endless()
      } finally {
        told = true
      }
    }
    const reason = new Error('enough')
    const onProgress = ({ rows }: { rows: number }) => rows > 100 && controller.abort(reason)
    const error = await rejection(
      writeShards(folder, source(), { ...options, signal: controller.signal, onProgress }, 40),
    )
    expect(error).toBe(reason)
    expect(told).toBe(true)
    await expectUnchanged()
  })

  it('by an abort while the source does not answer ends at once', async () => {
    const { folder, expectUnchanged } = await oldDataset()
    const controller = new AbortController()
    const asked = deferred()
    async function* source() {
      yield x
      asked.resolve(undefined)
      await new Promise(() => {})
    }
    const writing = writeDataset(folder, source(), { ...options, signal: controller.signal })
    await asked.promise
    controller.abort()
    expect(await rejection(writing)).toBe(controller.signal.reason)
    await expectUnchanged()
  })

  it('by an abort before it begins asks for nothing', async () => {
    const { folder, expectUnchanged } = await oldDataset()
    const made = { count: 0 }
    const signal = AbortSignal.abort()
    expect(await rejection(writeDataset(folder, endless(made), { ...options, signal }))).toBe(signal.reason)
    expect(made.count).toBe(0)
    await expectUnchanged()
  })

  it('by an error of the source or of onProgress rejects with it', async () => {
    const { folder, expectUnchanged } = await oldDataset()
    const error = new Error('no more')
    async function* failing() {
      yield x
      throw error
    }
    expect(await rejection(writeShards(folder, failing(), options, 16))).toBe(error)
    const onProgress = () => {
      throw error
    }
    expect(await rejection(writeShards(folder, endless(), { ...options, onProgress }, 16))).toBe(error)
    await expectUnchanged()
  })

  it('on a full disk is an ERR_FILE with the system’s error; what was there can be used and appended to', async () => {
    const { folder, expectUnchanged } = await oldDataset()
    const full = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      syscall: 'write',
    })
    let calls = 0
    const restore = await replaceWrite(() => {
      if (++calls > 5) throw full
    })
    try {
      const error = await rejection(writeShards(folder, endless(), options, 40))
      expect(error).toMatchObject({
        code: 'ERR_FILE',
        cause: full,
        message: expect.stringContaining('the disk is full'),
      })
    } finally {
      restore()
    }
    await expectUnchanged()
    expect((await writeDataset(folder, [x], { append: true })).rows).toBe(12)
  })
})

function deferred() {
  let resolve: (value: unknown) => void = () => {}
  const promise = new Promise((settle) => {
    resolve = settle
  })
  return { promise, resolve }
}

/** Has each write of a file wait for, or fail with, something else. */
const replaceWrite = (first: () => unknown) => replaceCall('write', first)

async function replaceCall(name: 'read' | 'write', first: () => unknown): Promise<() => void> {
  const handle = await open(library)
  const prototype = Object.getPrototypeOf(handle) as Record<typeof name, (...args: unknown[]) => unknown>
  await handle.close()
  const call = prototype[name]
  prototype[name] = async function (this: FileHandle, ...args: unknown[]) {
    await first()
    return Reflect.apply(call, this, args)
  }
  return () => {
    prototype[name] = call
  }
}

test('a dataset that was written, and cannot be opened then, is an ERR_FILE that says that its rows are there', async () => {
  const folder = place()
  const failed = Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO', syscall: 'read' })
  const restore = await replaceCall('read', () => {
    if (existsSync(join(folder, 'dataset.json'))) throw failed
  })
  try {
    expect(await rejection(writeDataset(folder, [x]))).toMatchObject({
      code: 'ERR_FILE',
      message: expect.stringContaining('all rows were written'),
      details: { file: folder },
    })
  } finally {
    restore()
  }
  expect((await openDataset(folder)).rows).toBe(6)
})

describe('a source', () => {
  it('is asked for the next batch when the one before was taken', async () => {
    const events: string[] = []
    function* source() {
      for (let k = 0; k < 4; k++) {
        events.push(`asked ${k}`)
        yield x
      }
    }
    await writeDataset(place(), source(), {
      onProgress: ({ rows, bytes }) => void events.push(`${rows} ${bytes}`),
    })
    expect(events).toEqual(['asked 0', '6 48', 'asked 1', '12 96', 'asked 2', '18 144', 'asked 3', '24 192'])
  })

  it('without end waits for a slow disk, and two of its batches at most are held', async () => {
    const controller = new AbortController()
    const made = { count: 0 }
    const large = Matrix.from(new Uint8Array(2 ** 23), 2 ** 13, 2 ** 10)
    async function* source() {
      for (;;) {
        made.count++
        yield large
      }
    }
    let release = () => {}
    const stuck = new Promise<void>((resolve) => {
      release = resolve
    })
    const started = deferred()
    const restore = await replaceWrite(() => {
      started.resolve(undefined)
      return stuck
    })
    const writing = rejection(writeDataset(place(), source(), { signal: controller.signal }))
    try {
      await started.promise
      for (let k = 0; k < 20; k++) await setTimeout(5)
      expect(made.count).toBeLessThanOrEqual(2)
    } finally {
      restore()
      controller.abort()
      release()
    }
    expect(await writing).toBe(controller.signal.reason)
  })

  it('that is slow is waited for, while the event loop is free', async () => {
    let turns = 0
    async function* slow() {
      for (let k = 0; k < 3; k++) {
        await setTimeout(10)
        turns++
        yield x.slice(2 * k, 2 * k + 2)
      }
    }
    const dataset = await writeDataset(place(), slow())
    expect(turns).toBe(3)
    expect((await dataset.read(0)).data).toEqual(x.data)
  })

  it('may use the memory of a batch again when it is asked for the next', async () => {
    async function* reusing() {
      const data = new Float32Array(2)
      for (let k = 0; k < 6; k++) {
        data.set([2 * k, 2 * k + 1])
        yield Matrix.from(data, 1, 2)
      }
    }
    const dataset = await writeShards(place(), reusing(), {}, 24)
    expect((await dataset.read(0)).data).toEqual(x.data)
  })
})

describe('a second writer of a folder', () => {
  it('is refused with ERR_BUSY while the first is at work, in this process', async () => {
    const { folder } = await oldDataset()
    let error: unknown
    async function* source() {
      yield x
      error = await rejection(writeDataset(folder, [x], { append: true }))
      yield x
    }
    expect((await writeDataset(folder, source(), { append: true })).rows).toBe(18)
    expect(error).toMatchObject({
      name: 'LayerwiseError',
      code: 'ERR_BUSY',
      message: expect.stringContaining(folder),
    })
    expect((await writeDataset(folder, [x], { append: true })).rows).toBe(24)
  })

  it('may write after a first that failed', async () => {
    const { folder } = await oldDataset()
    await rejection(writeDataset(folder, [[[NaN, 1]]], { append: true }))
    expect((await writeDataset(folder, [x], { append: true })).rows).toBe(12)
  })
})

describe('a process that writes and is killed', () => {
  const running: ReturnType<typeof spawn>[] = []
  afterEach(() => {
    for (const child of running.splice(0)) child.kill('SIGKILL')
  })

  /** A process that has written some shards, and waits. */
  async function writing(folder: string, append: boolean) {
    const shards = fileURLToPath(new URL('../lib/data/dataset/write-dataset.ts', import.meta.url))
    const code = `
      import { writeShards } from ${JSON.stringify(shards)}
      async function* source() {
        for (let k = 0; k < 4; k++) yield [[1, 2], [3, 4], [5, 6]]
        console.log('amid')
        await new Promise((resolve) => setTimeout(resolve, 600_000))
      }
      await writeShards(${JSON.stringify(folder)}, source(), { append: ${append} }, 40)`
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', code])
    running.push(child)
    child.stderr.pipe(process.stderr)
    await once(child.stdout, 'data')
    return child
  }

  it.each([false, true])(
    'leaves the old dataset whole and the folder free; the next writer removes its litter (append: %s)',
    async (append) => {
      const { folder } = await oldDataset()
      const old = listed(folder)
      const child = await writing(folder, append)
      expect(await rejection(writeDataset(folder, [x]))).toMatchObject({ code: 'ERR_BUSY' })
      child.kill('SIGKILL')
      await once(child, 'exit')
      expect(listed(folder).length).toBeGreaterThan(old.length)
      const dataset = await openDataset(folder)
      expect((await dataset.read(0)).data).toEqual(x.data)
      await dataset.verify()
      const next = await writeDataset(folder, [x], { append: true })
      expect((await next.read(6)).data).toEqual(x.data)
      expect(listed(folder)).toEqual([...old, 'rows-00003.safetensors'].sort())
    },
  )

  it('before the first manifest leaves a folder that the next writer takes', async () => {
    const folder = place()
    const child = await writing(folder, false)
    child.kill('SIGKILL')
    await once(child, 'exit')
    expect(await rejection(openDataset(folder))).toMatchObject({ code: 'ERR_FORMAT' })
    await writeDataset(folder, [x])
    expect(listed(folder)).toEqual(['dataset.json', 'rows-00000.safetensors'])
  })
})

test('a reader beside a writer sees the old dataset or the new one, whole', async () => {
  const folder = place()
  const numbered = (k: number) => Matrix.from(new Float32Array(8).fill(k), 4, 2)
  await writeShards(folder, [numbered(0)], {}, 16)
  let isWriting = true
  const reading = (async () => {
    let last = 0
    let opened = 0
    while (isWriting) {
      const dataset = await openDataset(folder)
      opened++
      // Its shards may be removed by now, which shows.
      const read = await dataset.read(0).catch((error: unknown) => error)
      if (!(read instanceof Matrix)) {
        expect(read).toMatchObject({ code: 'ERR_FILE' })
        continue
      }
      const [first] = read.data
      expect(Array.from(read.data)).toEqual(Array(8).fill(first))
      expect(first).toBeGreaterThanOrEqual(last)
      last = first!
    }
    return opened
  })()
  for (let k = 1; k <= 25; k++) await writeShards(folder, [numbered(k)], {}, 16)
  isWriting = false
  expect(await reading).toBeGreaterThan(0)
})

test('a dataset that is posted to a worker thread is read there', async () => {
  const { folder } = await oldDataset()
  const dataset = (await openDataset(folder)).slice(1)
  const code = `
    const { parentPort, workerData } = require('node:worker_threads')
    const library = import('tsx/esm/api').then(({ tsImport }) => tsImport(${JSON.stringify(library)}, __filename))
    library.then(async ({ Dataset, writeDataset }) => {
      const { data } = await Dataset.from(workerData.dataset).read(1, 4)
      const copy = await writeDataset(workerData.folder, workerData.dataset)
      parentPort.postMessage({ data, copy })
    })`
  const worker = new Worker(code, {
    eval: true,
    workerData: { dataset, folder: place() },
  })
  const [{ data, copy }] = (await once(worker, 'message')) as [{ data: Float32Array; copy: Dataset }]
  await worker.terminate()
  expect(data).toEqual(x.slice(2, 5).data)
  expect((await Dataset.from(copy).read(0)).data).toEqual(x.slice(1).data)
})

test('a lock ends with a worker thread that is terminated before it learns that it has it', async () => {
  const path = join(parent(), 'lock')
  const load = fileURLToPath(new URL('../lib/native/load.ts', import.meta.url))
  const code = `
    const { parentPort } = require('node:worker_threads')
    const library = import('tsx/esm/api').then(({ tsImport }) => tsImport(${JSON.stringify(load)}, __filename))
    library.then(({ binding }) => {
      binding().lockFile(${JSON.stringify(path)})
      parentPort.postMessage('asks')
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)
    })`
  const worker = new Worker(code, { eval: true })
  await once(worker, 'message')
  while (!existsSync(path)) await setTimeout(1)
  await worker.terminate()
  const lock = await binding().lockFile(path)
  expect(lock).not.toBeNull()
  await binding().unlockFile(lock!)
})

test.skipIf(process.platform !== 'linux' || !canMount())(
  'a small disk that is full leaves no litter, and takes rows again when it has room',
  async () => {
    const disk = parent()
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk])
    try {
      const folder = join(disk, 'data')
      const rows = Matrix.from(new Uint8Array(2 ** 16), 2 ** 8, 2 ** 8)
      await writeShards(folder, [rows], {}, 2 ** 16)
      const error = await rejection(writeShards(folder, Array(30).fill(rows), { append: true }, 2 ** 16))
      expect(error).toMatchObject({ code: 'ERR_FILE', cause: { code: 'ENOSPC' } })
      expect(listed(folder)).toEqual(['dataset.json', 'rows-00000.safetensors'])
      const dataset = await writeShards(folder, [rows], { append: true }, 2 ** 16)
      expect(dataset.rows).toBe(2 ** 9)
      await dataset.verify()
    } finally {
      execFileSync('umount', [disk])
    }
  },
)

/** Whether this process may mount, as in few containers. */
function canMount(): boolean {
  const disk = parent()
  mkdirSync(join(disk, 'disk'))
  writeFileSync(join(disk, 'file'), '')
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', join(disk, 'disk')], { stdio: 'ignore' })
    execFileSync('umount', [join(disk, 'disk')], { stdio: 'ignore' })
    return true
  } catch {
    return false
  }
}

import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, constants, openSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Worker } from 'node:worker_threads'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { binding } from '../lib/native/load.js'
import { temporaryFolder } from './temporary-folder.js'

/** A program that reads rows of a pipe that nobody writes, then does what `then` says. */
function program(pipe: string, then: string): string {
  const addon =
    process.env.LAYERWISE_BINARY ?? fileURLToPath(new URL('../build/Release/layerwise.node', import.meta.url))
  return `const addon = require(${JSON.stringify(addon)})
    const files = { segments: [{ path: ${JSON.stringify(pipe)}, offset: 0, rows: 100, identity: '1:2:3:4' }] }
    const rows = { data: new Float32Array(0), type: 'float32', rows: 100, cols: 3, scale: 1, files }
    const flags = new Int32Array(2)
    addon.covariance({ rows, mean: new Float64Array(3), covariance: new Float64Array(9), threads: 1, flags })
    const timer = setInterval(() => { if (flags[1] === 1) { clearInterval(timer); setTimeout(() => { ${then} }, 50) } }, 1)`
}

// Opening a pipe that nobody writes takes as long as a disk that does not answer.
describe.skipIf(process.platform === 'win32')('rows of a file that does not answer', () => {
  const folder = temporaryFolder()
  let pipe = ''
  beforeEach(() => {
    pipe = join(folder, `pipe-${Math.random()}`)
    execFileSync('mkfifo', [pipe])
  })
  // Lets the thread go that was left alone.
  afterEach(() => {
    try {
      closeSync(openSync(pipe, constants.O_WRONLY | constants.O_NONBLOCK))
    } catch (error) {
      expect((error as NodeJS.ErrnoException).code).toBe('ENXIO')
    }
  })

  test('a call over them is cancelled while they hang', async () => {
    const flags = new Int32Array(2)
    const files = { segments: [{ path: pipe, offset: 0, rows: 100, identity: '1:2:3:4' }] }
    const rows = { data: new Float32Array(0), type: 'float32' as const, rows: 100, cols: 3, scale: 1, files }
    const call = binding().covariance({
      rows,
      mean: new Float64Array(3),
      covariance: new Float64Array(9),
      threads: 1,
      flags,
    })
    while (flags[1] !== 1) await new Promise((resolve) => setTimeout(resolve, 1))
    flags[0] = 1
    await expect(call).rejects.toMatchObject({ code: 'CANCELLED' })
  })

  test('the process exits while they hang', () => {
    const { status, signal, stderr } = spawnSync(process.execPath, ['-e', program(pipe, 'process.exit(7)')], {
      timeout: 60_000,
      encoding: 'utf8',
    })
    expect({ status, signal, stderr }).toEqual({ status: 7, signal: null, stderr: '' })
  })

  test('a worker thread is terminated while they hang', async () => {
    const worker = new Worker(
      program(pipe, "require('node:worker_threads').parentPort.postMessage('reading')"),
      { eval: true },
    )
    const message = await new Promise((resolve, reject) => {
      worker.once('message', resolve)
      worker.once('error', reject)
    })
    expect(message).toBe('reading')
    expect(await worker.terminate()).toBe(1)
  })
})

import { copyFileSync, existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { resumeTraining, type TrainableModel, type TrainingHistory } from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { cases, type TrainingCase, untimed, x } from './checkpoint-cases.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
let number = 0

/** Every span is one step, so that a training can be stopped near every step. */
beforeAll(() => {
  const { trainSpan } = binding()
  vi.spyOn(binding(), 'trainSpan').mockImplementation((job, span) => trainSpan(job, { ...span, budgetMs: 0 }))
})
afterAll(() => void vi.restoreAllMocks())

/** What a training came to. */
async function outcome(model: TrainableModel, history: TrainingHistory | readonly TrainingHistory[]) {
  return { bytes: Buffer.from(await model.toBytes()), history: untimed(history) }
}

const uninterrupted = new Map<TrainingCase, ReturnType<typeof outcome>>()

async function expected(one: TrainingCase) {
  const train = async () => {
    const model = await one.make()
    return outcome(model, await one.train(model, { threads: 1 }))
  }
  const known = uninterrupted.get(one) ?? train()
  uninterrupted.set(one, known)
  return known
}

/** Counts reports of progress, and aborts at the last. */
function stopAfter(reports: number) {
  const controller = new AbortController()
  let left = reports
  const onProgress = () => {
    left--
    if (left === 0) controller.abort(new Error('stopped'))
  }
  return { signal: controller.signal, onProgress }
}

async function unlessStopped<T>(training: Promise<T>): Promise<T | undefined> {
  return training.catch((error: unknown) => {
    if ((error as Error).message !== 'stopped') throw error
    return undefined
  })
}

/** Trains with an interruption after so many reports, and after each of these many more. */
async function interrupted(one: TrainingCase, path: string, stops: readonly number[], threads: number) {
  const model = await one.make()
  const [first = 1, ...more] = stops
  const begun = one.train(model, { threads, checkpoint: { path }, ...stopAfter(first) })
  let done = await unlessStopped(begun.then((history) => ({ model, history })))
  for (const stop of [...more, Infinity]) {
    if (done) break
    const options = { ...one.carried, threads: 1 + (threads % 3), ...stopAfter(stop) }
    done = await unlessStopped(resumeTraining<TrainingHistory | TrainingHistory[]>(path, x, options))
  }
  return outcome(done!.model, done!.history)
}

describe('a training that was interrupted and resumed has the bits and the history of one that was not:', () => {
  test.each(Object.entries(cases))('%s', async (_, one) => {
    const whole = await expected(one)
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 36 }), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 1, max: 3 }),
        async (stops, threads) => {
          const resumed = await interrupted(one, join(folder, `${number++}.checkpoint`), stops, threads)
          expect(resumed.history).toEqual(whole.history)
          expect(resumed.bytes.equals(whole.bytes)).toBe(true)
        },
      ),
      { numRuns: 12 },
    )
  })
})

describe('every file that was written on the way leads to the same bits and history:', () => {
  test.each(Object.entries(cases))('%s', async (_, one) => {
    const whole = await expected(one)
    const path = join(folder, `written ${number++}.checkpoint`)
    const copies: string[] = []
    let reports = 0
    const onProgress = async () => {
      reports++
      if (reports % 3 !== 0) return
      // The first was begun after the first report; training waits here meanwhile.
      do await setTimeout(5)
      while (!existsSync(path))
      const copy = `${path} ${reports}`
      copyFileSync(path, copy)
      copies.push(copy)
    }
    const model = await one.make()
    const history = await one.train(model, { checkpoint: { path, everySeconds: 0 }, onProgress })
    expect((await outcome(model, history)).bytes.equals(whole.bytes)).toBe(true)
    copies.push(path)
    expect(copies.length).toBeGreaterThan(1)
    for (const copy of copies) {
      const resumed = await resumeTraining<TrainingHistory | TrainingHistory[]>(copy, x, {
        ...one.carried,
        onProgress: null,
      })
      const { bytes, history } = await outcome(resumed.model, resumed.history)
      expect(history).toEqual(whole.history)
      expect(bytes.equals(whole.bytes)).toBe(true)
    }
  })
})

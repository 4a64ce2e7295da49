import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { resumeTraining, type TrainableModel, type TrainingHistory } from '../lib/index.js'
import { binding } from '../lib/native/load.js'
import { cases, type TrainingCase, untimed, x } from './checkpoint-cases.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()

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
  let number = 0
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

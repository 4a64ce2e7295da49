import { expect, test } from 'vitest'
import { progressBar, progressLine } from '../examples/demo/progress-bar.js'
import type { EpochEvent, FitProgress } from '../lib/index.js'

const cost = { total: 15.314, loss: 10, weightDecay: 5, sparsity: 0.314 }
const progress: FitProgress = {
  epoch: 3,
  epochs: 4,
  step: 50,
  steps: 100,
  cost,
  samplesPerSecond: 54_321.6,
  secondsLeft: 71.2,
}
const event: EpochEvent = {
  epoch: 3,
  cost,
  meanActivation: { min: 0, mean: 0, max: 0 },
  gradientNorm: 1,
  seconds: 1.25,
  samplesPerSecond: 54_321.6,
  evaluations: 100,
}

function written(isTTY: boolean): { stream: Parameters<typeof progressBar>[0]; text: () => string } {
  let all = ''
  const write = (text: string) => {
    all += text
    return true
  }
  return { stream: { isTTY, write }, text: () => all }
}

test('the progress line of the demo shows progress, cost, pace and time left', () => {
  const line = progressLine(progress, 8)
  expect(line).toBe('█████░░░ epoch 3/4  cost 15.31  54,322 samples/s  1:12 left')
  expect(progressLine({ ...progress, secondsLeft: Infinity })).toContain('–:–– left')
})

test('the progress line of the demo is redrawn on a terminal, and kept after the last epoch', () => {
  const { stream, text } = written(true)
  const bar = progressBar(stream)
  bar.onProgress(progress)
  bar.onEpoch(event)
  expect(text()).toBe(`\r${progressLine(progress)}\x1b[K`)
  bar.onEpoch({ ...event, epoch: 4 })
  expect(text().endsWith('\n')).toBe(true)
})

test('the demo prints a line for each epoch if there is no terminal', () => {
  const { stream, text } = written(false)
  const bar = progressBar(stream)
  bar.onProgress(progress)
  expect(text()).toBe('')
  bar.onEpoch(event)
  expect(text()).toBe('epoch 3/4  cost  15.31  54,322 samples/s  1.3 s\n')
})

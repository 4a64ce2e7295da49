import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { StackedAutoencoder } from '../lib/index.js'
import { axisOver, linearTicks, logTicks, tickLabel } from '../lib/inspect/axis.js'
import { type CostHistory, historySeries, learningCurve } from '../lib/inspect/learning-curve.js'
import { plot, type Series } from '../lib/inspect/plot.js'
import { sampleRows } from './sample.js'
import { elementsOf, unescapeXml } from './xml.js'

function history(epochs: number, { sparsity = 1, validation = false } = {}): CostHistory {
  return {
    epochs: Array.from({ length: epochs }, (_, i) => {
      const [loss, weightDecay] = [10 / (i + 1), 0]
      const record = { epoch: i + 1, cost: { total: loss + sparsity, loss, weightDecay, sparsity } }
      return validation ? { ...record, validation: { total: loss + 2 } } : record
    }),
  }
}

const line = (...ys: number[]): Series[] => [{ label: 'y', points: ys.map((y, x) => [x, y]) }]
const polylines = (svg: string) =>
  elementsOf(svg)
    .filter(({ name }) => name === 'polyline')
    .map(({ attributes }) =>
      attributes.points!.split(' ').map((pair) => pair.split(',').map(Number) as [number, number]),
    )
const texts = (svg: string) =>
  elementsOf(svg)
    .filter(({ name }) => name === 'text')
    .map(({ text }) => text)
const thrown = (run: () => unknown): unknown => {
  try {
    return { returned: run() }
  } catch (error) {
    return error
  }
}

describe('a plot', () => {
  test('is a well-formed standalone SVG document for any labels and numbers', () => {
    const text = fc.string({ unit: 'binary', maxLength: 8 })
    const points = fc.array(fc.tuple(fc.double(), fc.double()), { maxLength: 8 })
    const series = fc.array(fc.record({ label: text, points }), { minLength: 1, maxLength: 10 })
    fc.assert(
      fc.property(
        series,
        text,
        fc.constantFrom('linear' as const, 'log' as const),
        (curves, title, yScale) => {
          const svg = plot(curves, { title, xLabel: title, yLabel: title, yScale })
          const [root] = elementsOf(svg)
          expect(root).toMatchObject({ name: 'svg', attributes: { xmlns: 'http://www.w3.org/2000/svg' } })
          expect(svg).not.toMatch(/NaN|Infinity|undefined/)
          for (const [px, py] of polylines(svg).flat()) {
            expect(px! >= 0 && px! <= 640 && py! >= 0 && py! <= 400, `${px}, ${py}`).toBe(true)
          }
        },
      ),
      { seed: 3, numRuns: 300 },
    )
  })

  test('escapes its labels, so that a parser restores them', () => {
    const label = `<b>"cost" & 'loss'</b> ü 😀`
    const svg = plot([...line(1, 2), { label, points: [] }], { title: label })
    expect(svg).not.toContain('<b>')
    expect(texts(svg).map(unescapeXml)).toContain(label)
    expect(elementsOf(svg).find(({ name }) => name === 'title')?.text).toBe(
      texts(svg).find((t) => t.includes('cost')),
    )
  })

  test('puts greater numbers higher and later ones further right, in proportion', () => {
    const [[a, b, c]] = polylines(plot(line(0, 5, 10))) as [[number, number][]]
    expect(a![0]).toBeLessThan(b![0])
    expect(a![1]).toBeGreaterThan(c![1])
    expect(b![0] - a![0]).toBe(c![0] - b![0])
    expect(a![1] - b![1]).toBe(b![1] - c![1])
  })

  test('on a log axis puts equal factors at equal distances', () => {
    const [[a, b, c]] = polylines(plot(line(1, 100, 10_000), { yScale: 'log' })) as [[number, number][]]
    expect(a![1] - b![1]).toBe(b![1] - c![1])
  })

  test('leaves a gap for points that cannot be shown, and draws a single point as a dot', () => {
    const svg = plot(line(1, 2, Number.NaN, 3, Infinity, 4, 5, 6))
    expect(polylines(svg).map((run) => run.length)).toEqual([2, 3])
    expect(elementsOf(svg).filter(({ name }) => name === 'circle')).toHaveLength(1)
    expect(polylines(plot(line(1, 2, 0, -1, 3, 4), { yScale: 'log' })).map((run) => run.length)).toEqual([
      2, 2,
    ])
  })

  test('has a legend only if there is more than one curve', () => {
    expect(texts(plot(line(1, 2)))).not.toContain('y')
    const both = texts(plot([...line(1, 2), { label: 'other', points: [[0, 1]] }]))
    expect(both).toEqual(expect.arrayContaining(['y', 'other']))
  })

  test('draws empty axes if no point can be shown', () => {
    expect(texts(plot(line(Number.NaN)))).toEqual(expect.arrayContaining(['0', '1']))
  })

  test('refuses a wrong series or option', () => {
    const bad: [unknown, unknown][] = [
      [[], {}],
      [undefined, {}],
      [[{ points: [] }], {}],
      [[{ label: 'a', points: 3 }], {}],
      [[{ label: 'a', points: [[1]] }], {}],
      [[{ label: 'a', points: [[1, '2']] }], {}],
      [line(1), { yScale: 'cubic' }],
      [line(1), { width: 0 }],
      ...['yScale', 'width', 'height', 'title', 'xLabel', 'yLabel'].map((key): [unknown, unknown] => [
        line(1),
        { [key]: null },
      ]),
      [line(1), { title: 3 }],
      [line(1), { colour: 'red' }],
    ]
    for (const [series, options] of bad) {
      const error = thrown(() => plot(series as Series[], options as object))
      expect(error).toMatchObject({ name: 'LayerwiseError', code: 'ERR_ARGUMENT' })
    }
  })
})

describe('ticks', () => {
  test('are multiples of 1, 2 or 5 times a power of ten', () => {
    const linear = (low: number, high: number, outside = true, whole = false) =>
      linearTicks(low, high, { count: 5, whole, outside })
    expect(linear(0, 10)).toEqual([0, 2, 4, 6, 8, 10])
    expect(linear(0.13, 0.52)).toEqual([0.1, 0.2, 0.3, 0.4, 0.5, 0.6])
    expect(linear(-3, 47)).toEqual([-10, 0, 10, 20, 30, 40, 50])
    expect(linear(1, 20, false)).toEqual([5, 10, 15, 20])
    expect(linear(1, 3, false)).toEqual([1, 1.5, 2, 2.5, 3])
    expect(linear(1, 3, false, true)).toEqual([1, 2, 3])
  })

  test('of a log axis are powers of ten, with 2 and 5 between if there are few', () => {
    expect(logTicks(14, 114, true)).toEqual([10, 20, 50, 100, 200])
    expect(logTicks(0.001, 1, true)).toEqual([0.001, 0.01, 0.1, 1])
    expect(logTicks(1e-20, 1, true).length).toBeLessThan(10)
  })

  test('enclose the numbers of a nice axis, which have positions between 0 and 1', () => {
    const values = fc.array(fc.double({ min: 1e-200, max: 1e200, noNaN: true }), {
      minLength: 1,
      maxLength: 5,
    })
    fc.assert(
      fc.property(values, fc.constantFrom('linear' as const, 'log' as const), (numbers, scale) => {
        const axis = axisOver(numbers, { scale, nice: true, count: 5 })
        expect(axis.ticks.length).toBeGreaterThan(1)
        expect(axis.ticks.length).toBeLessThan(20)
        for (const value of numbers) {
          expect(axis.position(value)).toBeGreaterThanOrEqual(0)
          expect(axis.position(value)).toBeLessThanOrEqual(1)
        }
      }),
      { seed: 4, numRuns: 500 },
    )
  })

  test('are written in short form', () => {
    expect([0, 0.05, -20, 20_000, 1e-7, 2e6, -5e9].map(tickLabel)).toEqual([
      '0',
      '0.05',
      '-20',
      '20000',
      '1e-7',
      '2e6',
      '-5e9',
    ])
  })
})

describe('a learning curve', () => {
  test('shows cost, loss and the parts that are not always 0', () => {
    expect(historySeries(history(3)).map(({ label }) => label)).toEqual(['cost', 'loss', 'sparsity'])
    expect(historySeries(history(3, { sparsity: 0 })).map(({ label }) => label)).toEqual(['cost', 'loss'])
    expect(historySeries(history(2))[0]!.points).toEqual([
      [1, 11],
      [2, 6],
    ])
  })

  test('shows the validation cost of the epochs that have one', () => {
    const validated = historySeries(history(2, { validation: true })).at(-1)!
    expect(validated).toEqual({
      label: 'validation cost',
      points: [
        [1, 12],
        [2, 7],
      ],
    })
  })

  test('has one line for each series, and axes named epoch and cost by default', () => {
    const svg = learningCurve(history(5, { validation: true }))
    expect(polylines(svg)).toHaveLength(4)
    expect(texts(svg)).toEqual(expect.arrayContaining(['epoch', 'cost', 'validation cost']))
    expect(texts(learningCurve(history(5), { xLabel: 'iteration' }))).toContain('iteration')
  })

  test('of a stack draws the named costs of every layer, their validation costs and the fine-tuning', async () => {
    const rows = sampleRows(30, 8)
    const stack = new StackedAutoencoder({ inputs: 8, layers: [{ hidden: 4 }, { hidden: 3 }] })
    const layers = await stack.fit(rows, { epochs: 3, validation: 0.2 })
    const [, second] = await stack.fit(rows, { epochs: 1 })
    const fineTuning = await stack.fineTune(rows, { epochs: 2 })
    const svg = learningCurve([...layers, second!, fineTuning])
    expect(texts(svg).filter((text) => /layer|tuning/.test(text))).toEqual([
      ...['layer 1', 'layer 1, validation', 'layer 2', 'layer 2, validation'],
      ...['layer 2', 'fine-tuning'],
    ])
    expect(polylines(svg).map(({ length }) => length)).toEqual([3, 3, 3, 3, 2])
  })

  test('of several fits numbers those without the name of a model’s part', () => {
    const svg = learningCurve([history(2), history(3)])
    expect(texts(svg)).toEqual(expect.arrayContaining(['history 1', 'history 2']))
    expect(polylines(svg).map(({ length }) => length)).toEqual([2, 3])
  })

  test('accepts other series', () => {
    expect(polylines(learningCurve(line(3, 2, 1)))).toHaveLength(1)
  })

  test('is refused for other values, and for unknown options', () => {
    for (const nothing of [undefined, null, {}, { epochs: 3 }, [], [history(1), {}], [null]]) {
      expect(thrown(() => learningCurve(nothing as unknown as CostHistory))).toMatchObject({
        code: 'ERR_ARGUMENT',
      })
    }
    expect(thrown(() => learningCurve(history(1), { log: true } as object))).toMatchObject({
      code: 'ERR_ARGUMENT',
    })
  })
})

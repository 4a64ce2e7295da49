import { describe, expect, test } from 'vitest'
import { summary } from '../bench/measuring/statistics.js'
import { growth, slope } from '../bench/scaling/growth.js'
import type { Point, SweepResult } from '../bench/scaling/measure.js'
import { loglog, type Panel } from '../bench/scaling/picture.js'
import { growthText, pictureOf, reportText, type SweepRecord, withTable } from '../bench/scaling/report.js'
import { flops, leastMemory, parameters, sweeps, threadCounts } from '../bench/scaling/sweeps.js'
import { elementsOf } from './xml.js'

const sizes = [1, 10, 100, 1000, 10_000, 100_000]

describe('the slope', () => {
  test('is the exponent of a power law with any factor', () => {
    for (const power of [-1, 0, 0.5, 1, 2]) {
      expect(slope(sizes.map((x) => [x, 3e-5 * x ** power]))).toBeCloseTo(power, 10)
    }
  })

  test('is that of least squares for points not on a line', () => {
    expect(
      slope([
        [1, 1],
        [Math.E, Math.E],
        [Math.E ** 2, 1],
      ]),
    ).toBeCloseTo(0, 10)
  })

  test('is refused for one point, for points of equal size, and for numbers without a logarithm', () => {
    expect(() => slope([[1, 1]])).toThrow(RangeError)
    expect(() => slope(Array(2).fill([5, 1]))).toThrow(RangeError)
    for (const bad of [0, -1, Number.NaN, Infinity]) {
      expect(() =>
        slope([
          [1, 1],
          [2, bad],
        ]),
      ).toThrow(RangeError)
    }
  })
})

describe('growth', () => {
  test('of a fixed and a linear cost has slope 1 in the upper half, and names the sizes at which the fixed cost matters', () => {
    const found = growth(
      sizes,
      sizes.map((x) => 50 + x),
      sizes,
    )
    expect(found.over).toEqual([1000, 100_000])
    expect(found.slope).toBeCloseTo(0.99, 2)
    expect(found.workSlope).toBeCloseTo(1, 10)
    expect(found.deviations.map(({ at }) => at)).toEqual([1, 10, 100])
    expect(found.deviations[2]!.by).toBeCloseTo(1.5 / 1.005 - 1, 10)
  })

  test('is relative to the work: time proportional to the work is linear', () => {
    const work = sizes.map((x) => 3 * x - 1)
    const found = growth(
      sizes,
      work.map((x) => 7 * x),
      work,
    )
    expect(found.deviations).toEqual([])
    expect(found.slope).toBeCloseTo(found.workSlope, 10)
  })

  test('names a cheaper point as a deviation too, and none at 20%', () => {
    const costs = [1, 1, 1.19, 1, 0.79, 1, 1.21]
    const found = growth([1, 2, 3, 4, 5, 6, 7], costs, Array(7).fill(1))
    expect(found.deviations.map(({ at }) => at)).toEqual([5, 7])
  })

  test('of two points uses both of them', () => {
    expect(growth([1, 2], [10, 5], [1, 0.5])).toMatchObject({ over: [1, 2], deviations: [] })
    expect(() => growth([1], [1], [1])).toThrow(RangeError)
  })
})

describe('the sweeps', () => {
  test('count the work of the calls they time', () => {
    const work = { kind: 'train', widths: [784, 196], batchSize: 256, rows: 1000, threads: 2 } as const
    expect(flops(work)).toBe(10 * 784 * 196)
    expect(flops({ ...work, kind: 'epoch' })).toBe(1000 * 10 * 784 * 196)
    expect(flops({ ...work, kind: 'encode' })).toBe(1000 * 2 * 784 * 196)
    expect(flops({ ...work, kind: 'fineTune', widths: [8, 4, 2] })).toBe(2 * (3 * 2 * (32 + 8) - 32))
    expect(parameters(work)).toBe(2 * 784 * 196 + 784 + 196)
    expect(parameters({ ...work, widths: [8, 4, 2] })).toBe(2 * (32 + 8) + 8 + 4 + 4 + 2)
    expect(leastMemory(work)).toBe(12 * parameters(work))
    expect(leastMemory({ ...work, kind: 'encode' })).toBe(4 * 1000 * 196)
  })

  test('have the documented largest sizes, and fewer sizes with --quick', () => {
    const ends = sweeps(6).map(({ name, values }) => [name, values[0], values.at(-1)])
    expect(ends).toEqual([
      ['rows', 1000, 1_000_000],
      ['hidden', 16, 16_384],
      ['inputs', 16, 16_384],
      ['batch', 1, 16_384],
      ['layers', 1, 8],
      ['threads', 1, 6],
    ])
    for (const { values, quick } of sweeps(6)) {
      expect(values).toEqual(values.toSorted((a, b) => a - b))
      expect(quick.every((value) => values.includes(value))).toBe(true)
    }
  })

  test('vary the size in their name', () => {
    const [rows, hidden, inputs, batch, layers, threads] = sweeps(6).map(({ series }) => series[0]!.work(5))
    expect(rows).toMatchObject({ kind: 'epoch', rows: 5 })
    expect(hidden!.widths).toEqual([784, 5])
    expect(inputs!.widths).toEqual([5, 196])
    expect(batch!.batchSize).toBe(5)
    expect(layers!.widths).toEqual([256, 256, 256, 256, 256, 256])
    expect(threads!.threads).toBe(5)
  })

  test('double the threads up to all of them', () => {
    expect([1, 2, 6, 8].map(threadCounts)).toEqual([[1], [1, 2], [1, 2, 4, 6], [1, 2, 4, 8]])
  })
})

const panel: Panel = {
  title: 'a & b',
  xLabel: 'sizes',
  yLabel: 'costs',
  lines: [
    {
      label: 'ours',
      colour: '#0072b2',
      points: [
        [1, 1],
        [10, 10],
        [100, 100],
      ],
      marked: [10],
    },
    {
      label: 'limit',
      colour: '#0072b2',
      points: [
        [1, 0.1],
        [100, 10],
      ],
      dashed: true,
    },
  ],
}

describe('the picture', () => {
  const elements = elementsOf(loglog('grows', [panel, panel], ['first <line>', 'second']))
  const named = (name: string) => elements.filter((one) => one.name === name)

  test('has both panels, the caption, and a title for screen readers', () => {
    expect(elements[0]!.attributes).toMatchObject({ role: 'img', width: '1200' })
    expect(named('title')[0]!.text).toBe('grows')
    expect(named('text').map(({ text }) => text)).toEqual(
      expect.arrayContaining(['first &lt;line&gt;', 'second']),
    )
    expect(named('text').filter(({ text }) => text === 'a &amp; b')).toHaveLength(2)
  })

  test('puts equal ratios at equal distances', () => {
    const [low, middle, high] = named('circle').map(({ attributes }) => [
      Number(attributes.cx),
      Number(attributes.cy),
    ])
    expect(high![0]! - middle![0]!).toBeCloseTo(middle![0]! - low![0]!, 1)
    expect(high![1]! - middle![1]!).toBeCloseTo(middle![1]! - low![1]!, 1)
    expect(high![1]!).toBeLessThan(low![1]!)
  })

  test('rings points that deviate, and dashes computed lines', () => {
    expect(named('circle').map(({ attributes }) => attributes.fill)).toEqual([
      ...['#0072b2', '#ffffff', '#0072b2'],
      ...['#0072b2', '#ffffff', '#0072b2'],
    ])
    expect(named('polyline').map(({ attributes }) => 'stroke-dasharray' in attributes)).toEqual([
      false,
      true,
      false,
      true,
    ])
  })

  test('has a white background', () => {
    expect(named('rect')[0]!.attributes).toMatchObject({ fill: '#ffffff', width: '1200' })
  })
})

const times = [5, 6, 60]
const points = [1, 2, 20].map(
  (at, i): Point => ({
    at,
    seconds: summary([times[i]! * 1e-6, times[i]! * 2e-6], 'less'),
    limit: at * 1e-6,
    share: at / times[i]!,
    memory: at * 2 ** 21,
    leastMemory: at * 2 ** 20,
  }),
)
const measured: SweepResult = {
  ...{ name: 'hidden', varies: 'hidden units', fixed: '784 inputs', unit: 'sample', omitted: [400] },
  sgemm: [{ threads: 2, rate: summary([99.6]) }],
  series: [{ label: 'fit', points, growth: growth([1, 2, 20], times, [1, 2, 20]) }],
}
const environment = {
  ...{
    version: '1.2.3',
    commit: 'abc',
    date: '2026-01-02T03:04:05Z',
    cpu: 'Processor',
    processors: 2,
    load: 0,
  },
  ...{ node: '20', openblas: '0.3', kernel: 'K', vectors: 'avx2' },
}
const record: SweepRecord = { ...measured, environment }

describe('the report', () => {
  test('shows every point, the slope, and what deviates', () => {
    const text = reportText(record)
    expect(text).toMatch(/^ {2}20 +60\.0 +90\.0 +20\.0 +0\.33 +\+0% +40\.0 +20\.0$/m)
    expect(text).toContain('slope 1.00 over 2 to 20, of the work 1.00; over 20% from linear: 1 (+67%)')
    expect(text).toContain('left out, too little memory free: 400')
    expect(text).toContain('100 GFLOP/s (median 100) on 2 threads')
  })

  test('says so if all points are linear', () => {
    expect(growthText(growth(sizes, sizes, sizes))).toContain('all within 20% of linear')
  })

  test('draws time and memory, and omits unknown memory', () => {
    const lines = (of: SweepRecord) =>
      elementsOf(pictureOf(of)).filter(({ name }) => name === 'polyline').length
    expect(lines(record)).toBe(4)
    const blind = points.map(({ memory: _, ...point }) => point)
    expect(lines({ ...record, series: [{ ...record.series[0]!, points: blind }] })).toBe(3)
  })

  test('captions the picture with date, machine and commit', () => {
    expect(pictureOf(record)).toContain('Processor, 2 processors, 2026-01-02, commit abc')
  })

  test('writes its table between the two marks of a document repeatedly, and refuses a document without marks', () => {
    const document = 'before\n<!-- bench:scaling -->\nold\n<!-- /bench:scaling -->\nafter\n'
    const once = withTable(document, [record])
    expect(once).toMatch(/^before\n<!-- bench:scaling -->\n\| growing/)
    expect(once).toContain(
      '| hidden units (784 inputs), fit | 1 to 20 | 1.00, work 1.00 (from 2) | 20% → 33% | 40.0 (20.0) | 1: +67% |',
    )
    expect(once).toContain('(pictures/scaling-hidden.svg)')
    expect(once).toMatch(/<!-- \/bench:scaling -->\nafter\n$/)
    expect(once).not.toContain('old')
    expect(withTable(once, [record])).toBe(once)
    expect(() => withTable('nothing', [record])).toThrow('no place')
  })
})

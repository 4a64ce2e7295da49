import { describe, expect, test } from 'vitest'
import { evaluationFlopsPerRow } from '../bench/measuring/flops.js'
import { parseArguments } from '../bench/reproduce/arguments.js'
import { Progress, progressLine } from '../bench/reproduce/progress.js'
import { type Figure, Ledger, type Recipe, reached } from '../bench/reproduce/recipe.js'
import { recipes } from '../bench/reproduce/recipes.js'
import { type Run, reportJson, reportText, section } from '../bench/reproduce/report.js'
import { withSection } from '../bench/reproduce/results.js'
import type { FitProgress } from '../lib/index.js'

const known = ['one', 'two']

describe('the arguments', () => {
  test('without a name request the list', () => {
    expect(parseArguments([], known)).toEqual({
      names: [],
      quick: false,
      json: false,
      validate: false,
      folder: undefined,
    })
  })

  test('name one recipe and its options', () => {
    const given = parseArguments(['two', '--quick', '--json', '--data', 'folder'], known)
    expect(given).toEqual({ names: ['two'], quick: true, json: true, validate: false, folder: 'folder' })
    expect(parseArguments(['--validate', 'one'], known)).toMatchObject({ names: ['one'], validate: true })
  })

  test('select all recipes', () => {
    expect(parseArguments(['--all', '--quick'], known)).toMatchObject({ names: known, quick: true })
  })

  test('are refused for unknown recipes and options, and for more than one name', () => {
    expect(() => parseArguments(['three'], known)).toThrow('there is no recipe three')
    expect(() => parseArguments(['one', '--fast'], known)).toThrow('--fast')
    expect(() => parseArguments(['one', 'two'], known)).toThrow('expected one NAME')
    expect(() => parseArguments(['one', '--all'], known)).toThrow('expected one NAME')
  })
})

describe('a goal', () => {
  const figure = (value: number, goal?: Figure['goal']): Figure => ({
    label: '',
    value,
    ...(goal && { goal }),
  })

  test('of at least or at most a number is reached at that number, before rounding', () => {
    expect([97.5999, 97.6].map((value) => reached(figure(value, { atLeast: 97.6 })))).toEqual([false, true])
    expect([3, 3.0001].map((value) => reached(figure(value, { atMost: 3 })))).toEqual([true, false])
  })

  test('is missed by NaN', () => {
    expect(reached(figure(Number.NaN, { atLeast: 0 }))).toBe(false)
    expect(reached(figure(Number.NaN, { atMost: 0 }))).toBe(false)
  })

  test('that is absent counts as reached', () => {
    expect(reached(figure(-1))).toBe(true)
  })
})

const run: Run = {
  recipe: { name: 'one', title: 'a small network', source: 'a paper', run: async () => ({ figures: [] }) },
  outcome: {
    figures: [
      { label: 'accuracy', value: 97.123, unit: '%', published: '97.6%', goal: { atLeast: 97.6 } },
      { label: 'error', value: 2.96, goal: { atMost: 3 } },
      { label: 'time', value: 2, values: [1.5, 2.5], unit: 's', digits: 1 },
    ],
    notes: ['A note.'],
    pictures: { 'one.svg': '<svg/>' },
  },
  seconds: 61.7,
  command: 'npm run reproduce -- one',
  environment: {
    version: '0',
    commit: 'abc1234',
    date: '2026-02-03T04:05:06.000Z',
    cpu: 'A processor',
    processors: 2,
    load: 0,
    node: '20',
    openblas: '0',
    kernel: 'K',
    vectors: 'V',
  },
  threads: 2,
}

describe('a report', () => {
  test('has our and published figures, and the missed goals', () => {
    const lines = reportText(run)
      .split('\n')
      .map((line) => line.trim().split(/ {2,}/))
    expect(lines).toContainEqual(['accuracy', '97.12%', '97.6%', '≥ 97.60%', 'MISSED'])
    expect(lines).toContainEqual(['error', '2.96', '≤ 3.00', 'reached'])
    expect(lines).toContainEqual(['time', '2.0 s (1.5–2.5)'])
    expect(lines).toContainEqual(['62 s on A processor, 2 threads, commit abc1234'])
  })

  test('as JSON has every figure, whether its goal was reached, and the seconds', () => {
    const [plain] = JSON.parse(reportJson([run])) as Record<string, unknown>[]
    expect(plain).toMatchObject({ name: 'one', seconds: 61.7, environment: { commit: 'abc1234' } })
    expect((plain!.figures as { reached: boolean }[]).map((figure) => figure.reached)).toEqual([
      false,
      true,
      true,
    ])
  })

  test('as a section has table, notes, pictures, date, machine, commit and command', () => {
    const text = section(run)
    expect(text).toContain('## one\n')
    expect(text).toContain('| accuracy | 97.12% | 97.6% | ≥ 97.60% | MISSED |')
    expect(text).toContain('A note.')
    expect(text).toContain('(pictures/one.svg)')
    expect(text).toContain(
      '`npm run reproduce -- one`: 62 s on A processor, 2 threads; 2026-02-03, commit abc1234.',
    )
  })
})

describe('the document of results', () => {
  const order = ['one', 'two', 'three']
  const two = withSection('', order, 'two', '## two\nsecond\n')

  test('begins with a title when its first section is written', () => {
    expect(two).toMatch(/^# Results\n/)
    expect(two.endsWith('\n\n## two\nsecond\n')).toBe(true)
  })

  test('has its sections in the order of the recipes', () => {
    const all = withSection(
      withSection(two, order, 'three', '## three\nthird\n'),
      order,
      'one',
      '## one\nfirst\n',
    )
    expect(all.match(/^## .*$/gm)).toEqual(['## one', '## two', '## three'])
  })

  test('replaces a section, and keeps all others and the text above them', () => {
    const edited = withSection(two, order, 'one', '## one\nfirst\n').replace('# Results', '# Our results')
    const again = withSection(edited, order, 'two', '## two\nafresh\n')
    expect(again).toBe(edited.replace('second', 'afresh'))
  })

  test('keeps a section without a recipe, at the end', () => {
    const other = `${two}\n## of old\nkept\n`
    expect(withSection(other, order, 'one', '## one\nfirst\n').match(/^## .*$/gm)).toEqual([
      '## one',
      '## two',
      '## of old',
    ])
  })
})

describe('the ledger of a training', () => {
  const event = (evaluations: number, total: number, phase?: 'layer' | 'softmax', layer?: number) => ({
    epoch: 1,
    cost: { total, loss: total, weightDecay: 0, sparsity: 0 },
    meanActivation: { min: 0, mean: 0, max: 0 },
    gradientNorm: 0,
    seconds: 0,
    samplesPerSecond: 0,
    evaluations,
    ...(phase && { phase }),
    ...(layer !== undefined && { layer }),
  })

  test('adds up evaluations by phase and layer, and keeps their costs', async () => {
    const ledger = new Ledger()
    await ledger.onEpoch(event(2, 9, 'layer', 1))
    await ledger.onEpoch(event(1, 8, 'layer', 1))
    await ledger.onEpoch(event(1, 7, 'layer', 2))
    await ledger.onEpoch(event(1, 6, 'softmax'))
    expect([...ledger.evaluations]).toEqual([
      ['layer 1', 3],
      ['layer 2', 1],
      ['softmax', 1],
    ])
    expect(ledger.costs.get('layer 1')).toEqual([
      [2, 9],
      [3, 8],
    ])
  })

  test('calls the function between iterations at the given interval', async () => {
    let calls = 0
    const ledger = new Ledger(2, async () => {
      calls++
    })
    await ledger.time(async () => {
      for (let i = 0; i < 5; i++) await ledger.onEpoch(event(1, 1))
    })
    expect(calls).toBe(2)
  })
})

test('the flops of a softmax are those of two products, of fine-tuning those of three but for the lowest delta', () => {
  expect(evaluationFlopsPerRow([200, 10])).toBe(4 * 200 * 10)
  expect(evaluationFlopsPerRow([784, 200, 200, 10])).toBe(
    2 * (3 * (784 * 200 + 200 * 200 + 200 * 10) - 784 * 200),
  )
})

describe('progress', () => {
  const progress: FitProgress = {
    phase: 'layer',
    layer: 2,
    epoch: 120,
    epochs: 400,
    step: 1,
    steps: 1,
    cost: { total: 12.4123, loss: 0, weightDecay: 0, sparsity: 0 },
    samplesPerSecond: 1,
    secondsLeft: 1,
  }

  test('shows the phase, the progress and the cost', () => {
    expect(progressLine(progress)).toBe('layer 2: 120 of 400, cost 12.41')
    const { layer: _, ...whole } = progress
    expect(progressLine({ ...whole, phase: 'fineTune' })).toBe('fine-tuning: 120 of 400, cost 12.41')
  })

  test('into a file writes some progress lines, and every message', () => {
    const written: string[] = []
    const { say, onProgress } = new Progress({ write: (text) => written.push(text) })
    for (let i = 0; i < 100; i++) onProgress(progress)
    say('done')
    expect(written).toHaveLength(2)
    expect(written[1]).toMatch(/done\n$/)
  })
})

test('the recipes are the documented ones, each with a line about what it trains', () => {
  const names = recipes.map(({ name }: Recipe) => name)
  expect(names).toEqual([
    'softmax-mnist',
    'self-taught',
    'stacked-mnist',
    'patches',
    'deep-mnist',
    'denoising-mnist',
    'few-labels',
    'fashion-mnist',
    'deep-big-simple',
  ])
  for (const { title, source } of recipes) expect(title.length * source.length).toBeGreaterThan(0)
})

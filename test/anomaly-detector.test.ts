import { spawnSync } from 'node:child_process'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { AnomalyDetector, loadModel, Matrix, modelFromBytes, rocAuc, type TrainedOn } from '../lib/index.js'
import { DependentColumns, spreadsOf } from './anomaly-sample.js'
import { expectError } from './refusal.js'
import { rejection } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()
const cols = 8
const columns = new DependentColumns(cols, 3, 5)
const rows = columns.rows(800)
const spreads = spreadsOf(rows)

/** A row with one column moved. */
function moved(row: readonly number[], column: number, spreadsAway: number): number[] {
  return row.map((value, j) => (j === column ? value + spreadsAway * spreads[j]! : value))
}

describe.each(['clean', 'mixed'] satisfies TrainedOn[])('a detector trained on %s rows', (trainedOn) => {
  let detector: AnomalyDetector
  const fresh = columns.rows(300)
  const strange = Matrix.fromRows(fresh.toArray().map((row, i) => moved(row, i % cols, i % 2 === 0 ? 6 : -6)))

  beforeAll(async () => {
    detector = new AnomalyDetector({ trainedOn, quantile: 0.95, seed: 3 })
    await detector.fit(rows)
  })

  test('scores rows in which one column is six spreads off above others', async () => {
    const scores = [...(await detector.score(fresh)), ...(await detector.score(strange))]
    expect(
      rocAuc(scores, [...fresh.toArray().map(() => 0), ...strange.toArray().map(() => 1)]),
    ).toBeGreaterThan(0.99)
  })

  test('scores rows like those it learned from at about 1', async () => {
    const scores = (await detector.score(fresh)).sort()
    expect(scores[150]).toBeGreaterThan(0.4)
    expect(scores[150]).toBeLessThan(2)
  })

  test('names the column that is six spreads off in at least 95% of rows', () => {
    const found = strange
      .toArray()
      .filter((row, i) => detector.explain(row)[0]!.column === `column ${i % cols}`)
    expect(found.length / strange.rows).toBeGreaterThanOrEqual(0.95)
  })

  test('expects about the value that the column had', () => {
    const far = fresh.toArray().map((row, i) => {
      const column = i % cols
      const [first] = detector.explain(moved(row, column, 6))
      return first!.column === `column ${column}`
        ? Math.abs(Number(first!.expected) - row[column]!) / spreads[column]!
        : Infinity
    })
    expect(far.sort()[Math.floor(far.length / 2)]).toBeLessThan(1)
  })

  test('finds that the score falls by the effect of a column', () => {
    const row = moved(fresh.toArray()[0]!, 2, 6)
    const [first] = detector.explain(row)
    const mended = row.map((value, j) => (`column ${j}` === first!.column ? Number(first!.expected) : value))
    expect(detector.scoreSync(mended)).toBeCloseTo(detector.scoreSync(row) - first!.effect, 3)
  })

  test('gives errors whose mean, relative to typical ones, is about the score', () => {
    const row = strange.toArray()[1]!
    const parts = detector.explain(row).map(({ error, typicalError }) => error / typicalError)
    const mean = parts.reduce((sum, part) => sum + part, 0) / cols
    // Of several autoencoders, the mean of quotients is not the quotient of means.
    expect(mean / detector.scoreSync(row)).toBeGreaterThan(0.7)
    expect(mean / detector.scoreSync(row)).toBeLessThan(1.4)
  })

  test('answers for one row as for many', async () => {
    const { scores, isAnomaly, normal } = await detector.predict(strange)
    for (const [i, row] of strange.slice(0, 20).toArray().entries()) {
      const one = detector.predictSync(row)
      expect(Math.abs(one.score / scores[i]! - 1)).toBeLessThan(1e-3)
      expect(detector.scoreSync(Float64Array.from(row))).toBe(one.score)
      expect(one.isAnomaly).toBe(isAnomaly[i] === 1)
      expect(Math.abs(one.normal - normal[i]!)).toBeLessThan(0.02)
    }
  })

  test('finds about the share of new normal rows that was asked for', async () => {
    expect(detector.threshold.reached).toBeGreaterThanOrEqual(0.95)
    const { isAnomaly } = await detector.predict(columns.rows(1000))
    const share = isAnomaly.reduce((sum, one) => sum + one, 0) / 1000
    expect(share).toBeGreaterThan(0.01)
    expect(share).toBeLessThan(0.12)
  })

  test('gives normal rows probabilities that are spread evenly', async () => {
    const { normal } = await detector.predict(columns.rows(1000))
    const mean = normal.reduce((sum, one) => sum + one, 0) / 1000
    expect(Math.abs(mean - 0.5)).toBeLessThan(0.1)
    expect(normal.every((one) => one > 0 && one <= 1)).toBe(true)
  })

  test('is the same after saving, in this process, from bytes and in another', async () => {
    const path = join(folder, `${trainedOn}.safetensors`)
    await detector.save(path)
    const expected = await detector.predict(strange)
    const loaded = await loadModel(path)
    if (loaded.kind !== 'AnomalyDetector') throw new Error(loaded.kind)
    for (const copy of [loaded, await AnomalyDetector.load(path)]) {
      expect(await copy.predict(strange)).toEqual(expected)
      expect(copy.threshold).toEqual(detector.threshold)
      expect(copy.options).toEqual(detector.options)
      expect(copy.explain(strange.row(0))).toEqual(detector.explain(strange.row(0)))
    }
    expect((await modelFromBytes(await detector.toBytes())).kind).toBe('AnomalyDetector')
    const program = `import { AnomalyDetector } from './lib/index.ts'
      const detector = await AnomalyDetector.load(process.argv[1])
      console.log(JSON.stringify([...await detector.score(JSON.parse(process.argv[2]))]))`
    const few = strange.slice(0, 3)
    const { stdout } = spawnSync(
      process.execPath,
      ['--import', 'tsx', '--input-type=module', '-e', program, path, JSON.stringify(few.toArray())],
      { encoding: 'utf8' },
    )
    expect(JSON.parse(stdout)).toEqual([...(await detector.score(few))])
  })

  test('learns the same from the same rows and seed, at any number of threads', async () => {
    const again = new AnomalyDetector({ ...detector.options })
    await again.fit(rows, { threads: 1 })
    expect(await again.score(strange)).toEqual(await detector.score(strange))
    const other = new AnomalyDetector({ ...detector.options, seed: 4 })
    await other.fit(rows, { threads: 1 })
    expect(await other.score(strange)).not.toEqual(await detector.score(strange))
  })
})

test('a detector of mixed rows is hardly disturbed by a tenth of anomalies among them', async () => {
  const some = rows
    .toArray()
    .map((row, i) => (i % 10 === 0 ? moved(moved(row, i % cols, 5), (i + 3) % cols, -5) : row))
  const labels = some.map((_, i) => i % 10 === 0)
  const detector = new AnomalyDetector({ contamination: 0.1 })
  const { leftOut, trained, heldOut } = await detector.fit(some)
  expect(leftOut + trained + heldOut).toBe(some.length)
  expect(leftOut).toBeGreaterThan(0.3 * trained)
  expect(rocAuc(await detector.score(some), labels)).toBeGreaterThan(0.97)
})

test('values far outside the range of the training are scored and raise the score', async () => {
  const detector = new AnomalyDetector()
  await detector.fit(rows)
  const row = rows.toArray()[0]!
  let last = detector.scoreSync(row)
  for (const size of [1e3, 1e6, 1e9, 1e15, 1e200, 1.7e308]) {
    const score = detector.scoreSync(row.map((value, j) => (j === 4 ? size : value)))
    expect(score).toBeGreaterThanOrEqual(last)
    expect(score).toBeLessThan(Infinity)
    last = score
  }
  expect((await detector.score([row.map(() => -1e300)]))[0]).toBeLessThan(Infinity)
  for (const value of [NaN, Infinity]) {
    const bad = row.map((one, j) => (j === 3 ? value : one))
    expectError(await rejection(detector.score([bad])), 'ERR_RANGE', 'column 3')
    expect(() => detector.explain(bad)).toThrow('column 3')
  }
})

test('a constant column that moves raises the score and is named, other columns are not disturbed', async () => {
  const withConstants = rows.toArray().map((row) => [7, ...row, 0])
  const detector = new AnomalyDetector()
  await detector.fit(withConstants)
  const row = withConstants[0]!
  const score = detector.scoreSync(row)
  for (const [column, value] of [
    [0, 9],
    [cols + 1, 1],
  ] as const) {
    const other = row.map((one, j) => (j === column ? value : one))
    expect(detector.scoreSync(other)).toBeGreaterThan(10 * score)
    const explained = detector.explain(other)
    expect(explained[0]).toMatchObject({ column: `column ${column}`, value, expected: row[column] })
    expect(explained[1]!.effect).toBeLessThan(score)
  }
  expect(detector.scoreSync(row.map((one, j) => (j === 0 ? 7 * (1 + 2e-16) : one)))).toBeCloseTo(score, 4)
})

test('columns and groups have the names that they are given', async () => {
  const kinds = rows
    .toArray()
    .map((row, i) => [...row, i % 3 === 0 ? 1 : 0, i % 3 === 1 ? 1 : 0, i % 3 === 2 ? 1 : 0, 0])
  const names = [...rows.toArray()[0]!.map((_, j) => `measure ${j}`), 'red', 'green', 'blue', '__proto__']
  const groups = [{ column: 'colour', from: cols, to: cols + 3 }]
  const detector = new AnomalyDetector({ columns: names, groups })
  await detector.fit(kinds)
  const explained = detector.explain(kinds[0]!)
  expect(explained.map(({ column }) => column).sort()).toEqual(
    [...names.slice(0, cols), '__proto__', 'colour'].sort(),
  )
  expect(explained.find(({ column }) => column === 'colour')!.value).toBe('red')
  const moved = detector.explain(kinds[0]!.map((value, j) => (j === cols + 3 ? 1 : value)))
  expect(moved[0]).toMatchObject({ column: '__proto__', value: 1, expected: 0 })
  const restored = await AnomalyDetector.fromBytes(await detector.toBytes())
  expect(restored.explain(kinds[0]!)).toEqual(explained)
  expect(detector.explain(kinds[0]!, { most: 2 })).toHaveLength(2)
})

test('options that do not fit are refused by name', async () => {
  const refused: [object, string][] = [
    [{ trainedOn: 'dirty' }, 'trainedOn'],
    [{ contamination: 0 }, 'contamination'],
    [{ contamination: 0.1, quantile: 0.9 }, 'quantile'],
    [{ contamination: 0.1, trainedOn: 'clean' }, 'contamination'],
    [{ quantile: 1 }, 'quantile'],
    [{ columns: ['a', 'a'] }, 'columns[1]'],
    [{ columns: 'a' }, 'columns'],
    [
      {
        groups: [
          { column: 'g', from: 0, to: 2 },
          { column: 'h', from: 1, to: 3 },
        ],
      },
      'groups[1].from',
    ],
    [{ groups: [{ column: 'g', from: 2, to: 2 }] }, 'groups[0].to'],
    [{ labels: [] }, 'labels'],
  ]
  for (const [options, message] of refused) expect(() => new AnomalyDetector(options)).toThrow(message)
  const named = new AnomalyDetector({ columns: ['a'] })
  expectError(await rejection(named.fit(rows)), 'ERR_SHAPE', '1 columns')
  const grouped = new AnomalyDetector({ groups: [{ column: 'far', from: 0, to: cols + 1 }] })
  expectError(await rejection(grouped.fit(rows)), 'ERR_SHAPE', "group 'far'")
  expectError(
    await rejection(new AnomalyDetector().fit(rows, { labels: [] } as object)),
    'ERR_ARGUMENT',
    'labels',
  )
})

test('a detector that is not fitted answers nothing, and one in training refuses another', async () => {
  const detector = new AnomalyDetector()
  expect(() => detector.scoreSync([1])).toThrow('not fitted')
  expect(() => detector.threshold).toThrow('not fitted')
  expectError(await rejection(detector.save(join(folder, 'none'))), 'ERR_STATE', 'not fitted')
  const first = detector.fit(rows)
  expectError(await rejection(detector.fit(rows)), 'ERR_BUSY', 'fit')
  await first
  expect(detector.scoreSync(rows.row(0))).toBeGreaterThan(0)
})

test('an aborted fit changes nothing, and onProgress is told which autoencoder trains', async () => {
  const detector = new AnomalyDetector({ trainedOn: 'clean' })
  await detector.fit(rows)
  const before = await detector.score(rows)
  const controller = new AbortController()
  const seen: number[] = []
  const stopped = detector.fit(rows, {
    signal: controller.signal,
    onProgress: ({ member, members }) => {
      seen.push(member, members)
      controller.abort(new Error('enough'))
    },
  })
  expect(await rejection(stopped)).toMatchObject({ message: 'enough' })
  expect(seen.slice(0, 2)).toEqual([1, 2])
  expect(await detector.score(rows)).toEqual(before)
})

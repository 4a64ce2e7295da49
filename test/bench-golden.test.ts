import { describe, expect, test } from 'vitest'
import { goldenCases } from '../bench/golden/cases.js'
import type { CaseHashes, Hashed } from '../bench/golden/hash.js'
import { differences, differencesFrom, entryOf } from '../bench/golden/table.js'

const hashed = (cases: Record<string, CaseHashes>): Hashed => ({
  vectors: 'avx2',
  openblas: '0.3.21',
  kernel: 'Haswell',
  cases,
})
const hashes = { parameters: 'a', codes: 'b', costs: 'c' }

describe('golden cases', () => {
  test('have unique names', () => {
    expect(new Set(goldenCases.map(({ name }) => name)).size).toBe(goldenCases.length)
  })

  test('cover every model, precision and optimizer', () => {
    for (const model of [
      'SparseAutoencoder',
      'StackedAutoencoder',
      'StackedClassifier',
      'SoftmaxClassifier',
      'LinearAutoencoder, untied',
    ])
      for (const precision of ['float32', 'float64'])
        for (const optimizer of ['gradientDescent', 'momentum', 'adam', 'lbfgs'])
          expect(goldenCases.map(({ name }) => name)).toContain(`${model}, ${precision}, ${optimizer}`)
  })

  test('have different parameters for different options', async () => {
    const named = (name: string) => goldenCases.find((one) => one.name === name)!.run()
    const [plain, decayed] = [await named('all rows, float32'), await named('decay, float32')]
    expect(plain.parameters[0]).not.toEqual(decayed.parameters[0])
  })
})

describe('two runs of the golden cases', () => {
  test('are reported as different by case and part where hashes differ', () => {
    const before = hashed({ one: hashes, two: hashes, three: hashes })
    const now = hashed({ one: hashes, two: { ...hashes, codes: 'x', costs: 'y' }, three: { failed: 'why' } })
    expect(differences(before, now).differing).toEqual([
      'two: other codes, costs',
      'three: runs no more: why',
    ])
  })

  test('skip cases that the first run could not run, with the reason', () => {
    const before = hashed({ one: { failed: 'no such option' } })
    expect(differences(before, hashed({ one: hashes, two: hashes }))).toEqual({
      differing: [],
      skipped: ['one: no such option', 'two: not there'],
    })
  })
})

describe('the table of golden hashes', () => {
  test('names cases with other bits, cases missing in it, and cases that no longer exist', () => {
    const { one, two, three } = entryOf(
      hashed({ one: hashes, two: hashes, three: { ...hashes, costs: 'x' } }),
    )
    expect(
      differencesFrom({ one: one!, two: two!, gone: one! }, { one: one!, two: three!, added: one! }),
    ).toEqual({ differing: ['two: other bits', 'gone: only in the table'], added: ['added'] })
  })

  test('is not written if a case cannot run', () => {
    expect(() => entryOf(hashed({ one: { failed: 'why' } }))).toThrow('one: why')
  })
})

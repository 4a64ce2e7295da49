import { describe, expect, test } from 'vitest'
import { type LevelTimes, parseAnswer, productsText } from '../bench/cases/products.js'

const where = {
  version: '1.0.0',
  commit: 'abcdef0',
  date: '2026-11-30T12:00:00.000Z',
  cpu: 'a processor',
  processors: 2,
  load: 0,
  node: '20.0.0',
  openblas: '0.3.21',
  kernel: 'SkylakeX',
  vectors: 'avx512',
}

describe('an answer of the program that times products', () => {
  test('gives the time of every way and the chosen one, product by product', () => {
    expect(
      parseAnswer('forward blas=2.5 panels=2 chosen=panels; gradient blas=3 strips=4 chosen=blas'),
    ).toEqual([
      { product: 'forward', times: { blas: 2.5, panels: 2 }, chosen: 'panels' },
      { product: 'gradient', times: { blas: 3, strips: 4 }, chosen: 'blas' },
    ])
  })

  test('is refused where a time is missing or nothing is chosen', () => {
    expect(() => parseAnswer('forward blas= panels=2 chosen=panels')).toThrow('not an answer')
    expect(() => parseAnswer('forward blas=1 panels=2')).toThrow('not an answer')
  })
})

describe('the report on products', () => {
  const lines = (times: Record<string, number>, chosen: string) => {
    const shape = { rows: 256, inputs: 784, outputs: 196, share: 1 }
    const level: LevelTimes = {
      level: 'avx2',
      openblas: '0.3.21',
      kernel: 'Haswell',
      products: [{ shape, precision: 'float32', product: 'forward', times, chosen }],
    }
    return productsText(where, [level]).split('\n')
  }

  test('names the fastest way first and the others as ratios to it', () => {
    expect(lines({ blas: 120, panels: 100 }, 'panels')).toContain(
      '| 256 × 784 → 196 | float32 | forward | panels 100 µs | blas 1.20 | panels |',
    )
  })

  test('marks a choice that is more than 3% slower than the fastest way', () => {
    expect(lines({ blas: 100, panels: 104 }, 'panels').at(-1)).toContain('| **panels: 1.04** |')
    expect(lines({ blas: 100, panels: 103 }, 'panels').at(-1)).toContain('| panels |')
  })
})

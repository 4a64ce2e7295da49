import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, test, vi } from 'vitest'
import { klCurve, klDivergence, main } from '../examples/kl-divergence.js'
import { kl } from './oracle/penalty.js'
import { tolerances } from './tolerances.js'
import { elementsOf } from './xml.js'

const near = (actual: number, expected: number) =>
  expect(Math.abs(actual - expected), `${actual} against ${expected}`).toBeLessThan(
    tolerances.handComputed.value,
  )

test('KL is 0 at its target and nowhere else', () => {
  const curve = klCurve(0.2, 200)
  expect(curve).toHaveLength(199)
  for (const [rhoHat, divergence] of curve) {
    if (rhoHat === 0.2) expect(divergence).toBe(0)
    else expect(divergence).toBeGreaterThan(0)
  }
  expect(curve.some(([rhoHat]) => rhoHat === 0.2)).toBe(true)
})

test('KL falls up to its target and rises after it', () => {
  const values = klCurve(0.2, 200).map(([, divergence]) => divergence)
  const target = 0.2 * 200 - 1
  values.slice(1, target + 1).forEach((value, i) => {
    expect(value).toBeLessThan(values[i]!)
  })
  values.slice(target + 1).forEach((value, i) => {
    expect(value).toBeGreaterThan(values[target + i]!)
  })
})

test('KL(0.2 ‖ 0.5) is 0.2 ln 0.4 + 0.8 ln 1.6 = 2.6 ln 2 − ln 5', () => {
  // 0.2 (ln 2 − ln 5) + 0.8 (3 ln 2 − ln 5)
  near(klDivergence(0.2, 0.5), 2.6 * Math.LN2 - Math.log(5))
  near(klDivergence(0.2, 0.5), 0.192744757022)
})

test('KL(0.2 ‖ 0.8) is 0.6 ln 4, the same as KL(0.8 ‖ 0.2)', () => {
  near(klDivergence(0.2, 0.8), 0.6 * Math.log(4))
  near(klDivergence(0.8, 0.2), 0.6 * Math.log(4))
})

test('KL(ρ ‖ ρ̂) = KL(1−ρ ‖ 1−ρ̂), and agrees with the oracle', () => {
  for (const [rhoHat, divergence] of klCurve(0.2, 50)) {
    near(divergence, klDivergence(0.8, 1 - rhoHat))
    near(divergence, kl(0.2, rhoHat))
  }
})

test('the KL example writes one curve of 199 points as SVG, and prints its numbers', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'layerwise-kl-'))
  const log = vi.spyOn(console, 'log').mockImplementation(() => {})
  try {
    const path = await main(folder)
    const lines = elementsOf(await readFile(path, 'utf8')).filter(({ name }) => name === 'polyline')
    expect(lines).toHaveLength(1)
    expect(lines[0]!.attributes.points!.split(' ')).toHaveLength(199)
    expect(log.mock.calls.flat()).toEqual(expect.arrayContaining(['0.20  0.000000', '0.50  0.192745']))
  } finally {
    log.mockRestore()
    await rm(folder, { recursive: true })
  }
})

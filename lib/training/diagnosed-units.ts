import { rowSlices, turn } from '../data/slices.js'
import { usedRows } from '../data/used-rows.js'
import type { Floats, NativeLayer, NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { binding } from '../native/load.js'
import { type Activation, activationRange } from '../objective/activation.js'
import type { UnitCounts } from './diagnosis-record.js'
import { roomLike } from './squares.js'

/** A spread of outputs below this, relative to their size or to 1, is rounding. */
const ROUNDING = 1e-6

const [NEAR_THE_END, OFTEN] = [1e-3, 0.99]

/** Counts units of the last of these layers. */
export async function unitCounts(
  layers: readonly NativeLayer[],
  parameters: Floats,
  rows: NativeRows,
  work: NativeWork,
): Promise<UnitCounts> {
  const { outputs: all, activation } = layers.at(-1)!
  const count = usedRows(rows)
  const out = roomLike(parameters, count * all)
  const request = { layers, parameters, rows, result: 'outputs', out } as const
  await work.read('x', rows, (run) => binding().forward({ ...run, ...request }))
  const units = Array.from({ length: all }, () => ({ min: Infinity, max: -Infinity, sum: 0, atEnd: 0 }))
  const [low, high] = activationRange(activation as Activation)
  const margin = NEAR_THE_END * (high - low)
  for await (const [from, to] of rowSlices(count, all)) {
    for (let i = from, k = from * all; i < to; i++) {
      for (const unit of units) {
        const output = out[k++]!
        unit.min = Math.min(unit.min, output)
        unit.max = Math.max(unit.max, output)
        unit.sum += output
        if (output - low < margin || high - output < margin) unit.atEnd++
      }
    }
  }
  const isDead = units.map(({ min, max }) => max - min <= ROUNDING * Math.max(1, Math.abs(max)))
  const bounded = Number.isFinite(high - low)
  const living = units.flatMap(({ min, max, sum }, unit) =>
    isDead[unit] ? [] : [{ unit, mean: sum / count, near: (max - min) / 100 }],
  )
  return {
    all,
    dead: isDead.filter(Boolean).length,
    identical: await identicalUnits(living, out, count, all),
    saturated: bounded ? units.filter(({ atEnd }) => atEnd >= OFTEN * count).length : 0,
  }
}

/** Units whose means differ are compared no further. */
async function identicalUnits(
  living: { unit: number; mean: number; near: number }[],
  out: Floats,
  count: number,
  all: number,
): Promise<number> {
  const sorted = [...living].sort((a, b) => a.mean - b.mean)
  const identical = new Set<number>()
  for (const [k, a] of sorted.entries()) {
    if (k % 64 === 63) await turn()
    for (let next = k + 1; next < sorted.length; next++) {
      const b = sorted[next]!
      const near = Math.min(a.near, b.near)
      if (b.mean - a.mean > near) break
      if (identical.has(a.unit) && identical.has(b.unit)) continue
      let row = 0
      while (row < count && Math.abs(out[row * all + a.unit]! - out[row * all + b.unit]!) <= near) row++
      if (row === count) identical.add(a.unit).add(b.unit)
    }
  }
  return identical.size
}

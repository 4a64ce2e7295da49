import { ratios, summary } from '../measuring/statistics.js'
import type { Figure } from '../peers/figures.js'
import type { Peer } from '../peers/peer.js'
import { distance } from '../peers/proof.js'
import type { JobFolder } from './job.js'
import type { Shape } from './tables.js'

/** Rows of the epoch that is trained from memory and from disk. */
const SAME_ROWS = 100_000
/** Steps after which PyTorch must be at the same place. */
const STEPS = 20
/** ‖a − b‖ / ‖a − start‖: Adam divides by the size of the gradient, where that is near its rounding error in a direction of chance. */
const SAME_WAY = 1e-2

/** That an epoch in the order of blocks ends with the same bits from memory and from disk. */
export async function proveSame(folder: JobFolder, memory: Peer, disk: Peer, rows: number): Promise<string> {
  const count = Math.min(rows, SAME_ROWS)
  for (const side of [memory, disk]) await side.ask('prove', { rows: count, name: 'blocks' })
  const [a, b] = [folder.read('blocks_memory'), folder.read('blocks_disk')]
  const differing = a.findIndex((value, k) => !Object.is(value, b[k]))
  if (differing >= 0)
    throw new Error(`memory and disk: parameter ${differing} is ${a[differing]} and ${b[differing]}`)
  return `memory and disk: the same ${a.length} parameters, bit for bit, after an epoch of ${count} rows`
}

/** That PyTorch takes our steps. */
export async function proveSteps(
  folder: JobFolder,
  disk: Peer,
  torch: Peer,
  rows: number,
  { batchSize }: Shape,
): Promise<string> {
  const count = Math.min(rows, STEPS * batchSize)
  await disk.ask('prove', { rows: count, name: 'steps' })
  await torch.ask('prove', { rows: count })
  const ours = folder.read('steps_disk')
  const apart = distance(folder.read('steps_pytorch'), ours, folder.read('start'))
  if (!(apart <= SAME_WAY))
    throw new Error(`torch: its parameters are ${apart} of their way apart after ${count} rows`)
  return `torch: after ${count} rows parameters ${apart.toExponential(1)} of their way apart`
}

/** A peer's rate, and ours over it. */
export function fasterThan(
  name: string,
  ours: readonly number[],
  theirs: readonly number[],
  atLeast?: number,
): Figure[] {
  return [
    { label: name, unit: 'samples/s', values: summary(theirs) },
    {
      label: `from disk, warm, over ${name}`,
      unit: 'ratio',
      values: summary(ratios(ours, theirs)),
      ...(atLeast !== undefined && { goal: { atLeast } }),
    },
  ]
}

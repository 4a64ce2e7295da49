import type { JobFolder } from './folder.js'
import type { TrainingJob } from './jobs.js'
import type { Model } from './model.js'
import type { Peer } from './peer.js'

/** Steps of Adam after which all must be at the same place. */
export const STEPS = 20

/** Relative: the difference in a cost or gradient due to float32 rounding in another order. */
const SAME = 1e-4
/**
 * Distance of the parameters relative to the distance moved. Adam divides by the size of the gradient: if that is close to its rounding
 * error, a parameter moves as far as any other, in a direction determined by rounding.
 */
const SAME_WAY = 1e-2

/** The Euclidean distance of a and b over that of b and `from`, or over the length of b. */
export function distance(a: Float32Array, b: Float32Array, from?: Float32Array): number {
  if (a.length !== b.length) throw new RangeError(`${a.length} numbers against ${b.length}`)
  let difference = 0
  let length = 0
  for (let i = 0; i < b.length; i++) {
    difference += (a[i]! - b[i]!) ** 2
    length += (b[i]! - (from?.[i] ?? 0)) ** 2
  }
  return Math.sqrt(difference / length)
}

/** Our result after {@link STEPS} steps: parameters, and cost over the first batch. */
export interface Reached {
  readonly theta: Float32Array
  readonly cost: number
}

/** From the model's present parameters. */
export async function reach(
  model: Model,
  { training }: TrainingJob,
  rows: number,
  threads: number,
): Promise<Reached> {
  const { batchSize, learningRate } = training
  const count = Math.min(rows, STEPS * batchSize)
  const epochs = (STEPS * batchSize) / count
  if (!Number.isInteger(epochs))
    throw new Error(`${STEPS} steps are no whole number of epochs of ${count} rows`)
  await model.fit(count, { epochs, batchSize, learningRate, shuffle: false, threads })
  return { theta: model.parameters(), cost: (await model.cost(batchSize, false)).total }
}

/**
 * Checks that a peer's variant computes the same steps as we do from the same start.
 *
 * @returns what to print about it
 * @throws Error with the figure that differs
 */
export async function prove(
  peer: Peer,
  variant: string,
  folder: JobFolder,
  start: Float32Array,
  ours: Reached,
): Promise<string> {
  const { cost } = await peer.ask<{ cost: number }>('prove', { variant, steps: STEPS })
  const costs = Math.abs(cost - ours.cost) / ours.cost
  const parameters = distance(folder.read('theta_peer.f32'), ours.theta, start)
  refuse(`${variant}: the cost after ${STEPS} steps, ${cost} against ${ours.cost},`, costs, SAME)
  refuse(`${variant}: the parameters after ${STEPS} steps`, parameters, SAME_WAY)
  return `after ${STEPS} steps cost ${costs.toExponential(1)} and parameters ${parameters.toExponential(1)} apart`
}

/** That a peer finds the same cost and gradient at the start. */
export async function proveGradient(
  peer: Peer,
  name: string,
  variant: string,
  folder: JobFolder,
  ours: { total: number; gradient?: Float32Array },
): Promise<string> {
  const { cost } = await peer.ask<{ cost: number }>('evaluate', { variant })
  const costs = Math.abs(cost - ours.total) / ours.total
  const gradients = distance(folder.read('gradient_peer.f32'), ours.gradient!)
  refuse(`${name}: the cost at the start, ${cost} against ${ours.total},`, costs, SAME)
  refuse(`${name}: the gradient at the start`, gradients, SAME)
  return `${name}: at the start cost ${costs.toExponential(1)} and gradient ${gradients.toExponential(1)} apart`
}

/** That a peer finds the same codes. */
export function proveCodes(name: string, theirs: Float32Array, ours: Float32Array): string {
  const apart = distance(theirs, ours)
  refuse(`${name}: the codes`, apart, SAME)
  return `${name}: codes ${apart.toExponential(1)} apart`
}

function refuse(what: string, apart: number, most: number): void {
  if (!(apart <= most)) throw new Error(`${what} differ by ${apart.toExponential(2)}, more than ${most}`)
}

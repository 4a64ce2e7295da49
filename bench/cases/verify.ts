import type { Matrix, SparseAutoencoder } from '../../lib/index.js'
import { forward, type OracleLayer } from '../../test/oracle/layers.js'
import { evaluate } from '../../test/oracle/network.js'
import { relativeError } from '../../test/oracle/numeric-gradient.js'
import { type Tolerance, tolerances } from '../../test/tolerances.js'
import type { TrainingCase } from './cases.js'

/** What was found right before anything was timed. */
export interface Verified {
  /** Relative distance of the float32 cost, and of its gradient, from the float64 oracle's. */
  readonly cost: number
  readonly gradient: number
  /** Cost before and after this many steps of training. */
  readonly before: number
  readonly after: number
  readonly steps: number
}

const ORACLE_ROWS = 24
const STEPS_AN_EPOCH = 10
const EPOCHS = 3

/** @throws Error if cost or gradient are not the oracle's, or training does not lower the cost */
export async function verifyTraining(
  model: SparseAutoencoder,
  { weightDecay, target, weight, batchSize, learningRate }: TrainingCase,
  rows: Matrix,
): Promise<Verified> {
  const few = rows.slice(0, ORACLE_ROWS)
  const expected = evaluate(
    shapes(model),
    {
      loss: 'squared',
      weightDecay: [weightDecay, weightDecay],
      penalties: [{ layer: 0, kind: 'kl', target, weight }],
    },
    model.parameters(),
    { x: few.toArray().flat(), m: few.rows },
  )
  const { total, gradient } = await model.cost(few, { gradient: true })
  const cost = Math.abs(total - expected.total) / expected.total
  const distance = relativeError(gradient!, expected.gradient)
  refuseAbove('the cost', cost, tolerances.float32VsFloat64Cost)
  refuseAbove('the gradient', distance, tolerances.float32VsFloat64Gradient)

  const some = rows.slice(0, Math.min(rows.rows, STEPS_AN_EPOCH * batchSize))
  const before = (await model.cost(some)).total
  const { epochs } = await model.fit(some, { epochs: EPOCHS, batchSize, learningRate })
  const after = (await model.cost(some)).total
  if (!(after < before)) throw new Error(`training did not lower the cost: ${before}, then ${after}`)
  const steps = epochs.reduce((sum, { evaluations }) => sum + evaluations, 0)
  return { cost, gradient: distance, before, after, steps }
}

/**
 * @returns the largest distance of an activation from the oracle's
 * @throws Error if it is too large
 */
export function verifyEncoding(model: SparseAutoencoder, rows: Matrix): number {
  const encoder = shapes(model).slice(0, 1)
  let largest = 0
  for (let i = 0; i < Math.min(rows.rows, ORACLE_ROWS); i++) {
    const row = rows.slice(i, i + 1)
    const [expected] = forward(encoder, model.parameters(), row.toArray()[0]!, 1)
    const codes = model.encodeSync(row)
    for (let j = 0; j < codes.length; j++) {
      largest = Math.max(largest, Math.abs(codes[j]! - expected!.a[j]!))
    }
  }
  refuseAbove('an activation', largest, tolerances.float32Activation)
  return largest
}

function shapes(model: SparseAutoencoder): OracleLayer[] {
  return model.layers.map(({ inputs, outputs, activation }) => ({ inputs, outputs, activation }))
}

function refuseAbove(what: string, distance: number, { value }: Tolerance): void {
  if (!(distance <= value)) throw new Error(`${what} is ${distance} from the oracle's, more than ${value}`)
}

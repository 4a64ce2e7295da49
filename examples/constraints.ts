// The sparse autoencoder as a problem with constraints, and as the usual sum of penalties (Xue, "Inference of stacked sparse autoencoder",
// eq. 5-8): the same network on handwritten digits under each combination of
//
//   mean activations   drawn to ρ by the KL penalty, or held at ρ
//   weights            drawn to 0 by weight decay, or held in the ball ‖W‖² ≤ ε
//
// ε is the ‖W‖² that results from weight decay, so that both forms are comparable.
//
//   npm run examples -- constraints

import { fileURLToPath } from 'node:url'
import { type Matrix, SparseAutoencoder, type SparseAutoencoderOptions } from '../lib/index.js'
import { mnist } from './demo/mnist.js'

const RHO = 0.1
const KL = { kind: 'kl', target: RHO, weight: 3 } as const
const HELD = { kind: 'constraint', target: RHO } as const
const DECAY = 3e-3

/** What became of one form of the problem. */
export interface Outcome {
  readonly form: string
  /** max |ρ̂ⱼ − ρ| over the hidden units, on the training rows. */
  readonly violation: number
  /** Σ‖W‖². */
  readonly squaredNorm: number
  /** Mean squared error of a digit, on digits it was not trained on. */
  readonly error: number
}

async function outcome(
  form: string,
  options: Pick<SparseAutoencoderOptions, 'sparsity' | 'weightDecay' | 'weightConstraint'>,
  { train, test, epochs }: { train: Matrix; test: Matrix; epochs: number },
): Promise<Outcome> {
  const model = new SparseAutoencoder({ inputs: train.cols, hidden: 100, ...options })
  await model.fit(train, { epochs, batchSize: 128 })
  const codes = await model.encode(train)
  const means = new Float64Array(codes.cols)
  for (const [k, activation] of codes.data.entries()) means[k % codes.cols]! += activation / codes.rows
  const errors = await model.reconstructionError(test)
  return {
    form,
    violation: means.reduce((most, mean) => Math.max(most, Math.abs(mean - RHO)), 0),
    squaredNorm: model.layers.reduce(
      (sum, { weights }) => weights.data.reduce((part: number, w: number) => part + w * w, sum),
      0,
    ),
    error: errors.reduce((sum, error) => sum + error, 0) / errors.length,
  }
}

/** The four forms, penalties first. */
export async function compareForms(train: Matrix, test: Matrix, epochs: number): Promise<Outcome[]> {
  const data = { train, test, epochs }
  const penalties = await outcome('KL penalty, weight decay', { sparsity: KL, weightDecay: DECAY }, data)
  const ball = { kind: 'frobenius', max: penalties.squaredNorm } as const
  return [
    penalties,
    await outcome('ρ̂ = ρ, weight decay', { sparsity: HELD, weightDecay: DECAY }, data),
    await outcome('KL penalty, ‖W‖² ≤ ε', { sparsity: KL, weightConstraint: ball }, data),
    await outcome('ρ̂ = ρ, ‖W‖² ≤ ε', { sparsity: HELD, weightConstraint: ball }, data),
  ]
}

export async function main(): Promise<Outcome[]> {
  const digits = await mnist('train')
  const outcomes = await compareForms(digits.slice(0, 10_000), digits.slice(50_000, 60_000), 20)
  console.log(`784-100-784, 10,000 digits, ρ = ${RHO}, ε = ${outcomes[0]!.squaredNorm.toFixed(1)}\n`)
  console.log('form                        max |ρ̂ − ρ|     ‖W‖²   error of a new digit')
  for (const { form, violation, squaredNorm, error } of outcomes) {
    console.log(
      `${form.padEnd(26)}  ${violation.toFixed(4).padStart(11)}  ${squaredNorm.toFixed(1).padStart(7)}  ${error.toFixed(2).padStart(21)}`,
    )
  }
  const [penalised, ...others] = outcomes
  const held = others.filter(({ form }) => form.startsWith('ρ̂'))
  if (held.some(({ violation }) => violation > penalised!.violation / 2)) {
    console.log('\nthe constraint is not held better than the penalty holds it')
    process.exitCode = 1
  }
  return outcomes
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()

import { argumentError, checkInteger, checkNumber, shapeError } from '../base/check.js'
import { allocate, type FloatArray, type Precision, precisionOf } from '../base/precision.js'
import { Matrix } from '../data/matrix.js'
import { rowSlices } from '../data/slices.js'
import { checkLayers, type LayeredModel } from '../models/check-layers.js'
import { NativeWork } from '../native/call.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import { LayerChain } from './layer-chain.js'

/** Which units, and how long to climb for them. */
export interface ExcitingInputsOptions extends RunOptions {
  /** Whose units: a layer counted from 1. */
  readonly layer: number
  /** Which of its units, counted from 0; one row of the answer for each. Default: all. */
  readonly units?: readonly number[] | undefined
  /** Evaluations of all units together at most. Default 100. */
  readonly maxIterations?: number | undefined
  /** A unit is done where 1 − cos of the angle between input and gradient is at most this. Default 1e-4, less than one degree. */
  readonly tolerance?: number | undefined
}

/** The part of the promised rise that a step must bring (Armijo). */
const ENOUGH = 0.25

/** Steps that would have to be shorter end a unit's climb. */
const SHORTEST = 2 ** -20

/** From here on a step leads all but to the gradient's own direction, wherever it begins. */
const LONGEST = 2 ** 10

/**
 * The input under ‖x‖ ≤ 1 that most excites each unit of a layer: what the unit looks for.
 *
 * Activations never fall as the weighted sum z grows, so z is what is raised; of a softmax layer too, whose z is the score of a class. Of
 * layer 1 the answer is known, x = W[j,:]/‖W[j,:]‖. Of deeper layers it is found by projected gradient ascent on the input: steps along the
 * gradient of z, each brought back to ‖x‖ ≤ 1, halved until z rises enough and doubled after. It begins with the unit's weighted sum of lower
 * features, row j of W_l ⋯ W₁ at length 1. What it finds is a local maximum; for linear layers it is the beginning, and the global one. A
 * unit whose gradient is 0 (relu units at rest below it) stays where it is.
 *
 * Inputs are as the first layer sees them: after the model's scaler, if it has one. Draw them with {@link featureImage}.
 *
 * Source: Erhan, Bengio, Courville & Vincent 2009, "Visualizing higher-layer features of a deep network", activation maximisation.
 *
 * @returns [units, inputs of the model], each row of length 1 at most, in the model's precision
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for what is no model, no such layer or unit, and other options
 * @throws `signal.reason`, if the signal is aborted
 */
export async function excitingInputs<P extends Precision>(
  model: LayeredModel<P>,
  options: ExcitingInputsOptions,
): Promise<Matrix<FloatArray<P>>> {
  const given = checkRunOptions(options, ['layer', 'units', 'maxIterations', 'tolerance'])
  const layers = checkLayers('model', model)
  const layer = checkInteger('layer', given.layer, 1, layers.length)
  const { maxIterations: most = 100, tolerance: near = 1e-4 } = given
  const maxIterations = checkInteger('maxIterations', most)
  const tolerance = checkNumber('tolerance', near, { min: 0 })
  const { weights, biases } = layers[layer - 1]!
  const units = checkUnits(given.units, weights.rows)
  const work = new NativeWork(given)
  try {
    const chain = new LayerChain(layers.slice(0, layer - 1), work)
    const goal = { rows: rowsOf(weights, units), biases: units.map((unit) => biases[unit] ?? 0) }
    const start = await toLength1(await chain.products(goal.rows))
    if (layer === 1) return start
    return await climb(chain, goal, start, { maxIterations, tolerance, work })
  } finally {
    work.release()
  }
}

/** What is raised: z of row u is `rows[u] · a + biases[u]`, a being the outputs of the layers below. */
interface Goal<P extends Precision> {
  readonly rows: Matrix<FloatArray<P>>
  readonly biases: readonly number[]
}

/** One unit's place on its way. */
interface Climber {
  z: number
  /** ‖∇z‖ */
  steepness: number
  /** The length of the step that is tried next; 0: done. */
  step: number
  /** What the gradient promises of it. */
  promise: number
}

async function climb<P extends Precision>(
  chain: LayerChain<P>,
  goal: Goal<P>,
  x: Matrix<FloatArray<P>>,
  { maxIterations, tolerance, work }: { maxIterations: number; tolerance: number; work: NativeWork },
): Promise<Matrix<FloatArray<P>>> {
  const climbers: Climber[] = goal.biases.map(() => ({ z: -Infinity, steepness: 0, step: 1, promise: 0 }))
  const direction = emptyLike(x, x.rows)
  const trial = emptyLike(x, x.rows)
  trial.data.set(x.data)
  for (let iteration = 0; iteration < maxIterations; iteration++) {
    work.throwIfAborted()
    const outputs = await chain.outputs(trial)
    const gradient = await chain.gradient(goal.rows, outputs)
    for await (const [from, to] of rowSlices(x.rows, x.cols)) {
      for (let u = from; u < to; u++) {
        const climber = climbers[u]!
        if (climber.step === 0) continue
        const [here, uphill] = [x.row(u).data, direction.row(u).data]
        const z = dot(goal.rows.row(u).data, outputs.at(-1)!.row(u).data) + goal.biases[u]!
        if (z >= climber.z + ENOUGH * climber.promise) {
          here.set(trial.row(u).data)
          const slope = gradient.row(u).data
          const steepness = lengthOf(slope)
          setScaled(uphill, slope, steepness === 0 ? 0 : 1 / steepness)
          const there = steepness === 0 || 1 - dot(uphill, here) <= tolerance
          Object.assign(climber, { z, steepness, step: there ? 0 : Math.min(2 * climber.step, LONGEST) })
        } else {
          climber.step = climber.step > SHORTEST ? climber.step / 2 : 0
        }
        climber.promise = climber.steepness * stepInBall(trial.row(u).data, here, uphill, climber.step)
      }
    }
    if (climbers.every(({ step }) => step === 0)) break
  }
  return x
}

/** trial = the point of the ball next to x + step · direction. Returns how far that leads in the direction. */
function stepInBall(trial: Numbers, x: Numbers, direction: Numbers, step: number): number {
  for (let i = 0; i < x.length; i++) trial[i] = x[i]! + step * direction[i]!
  const length = lengthOf(trial)
  if (length > 1) setScaled(trial, trial, 1 / length)
  let along = 0
  for (let i = 0; i < x.length; i++) along += direction[i]! * (trial[i]! - x[i]!)
  return along
}

function checkUnits(units: unknown, count: number): readonly number[] {
  if (units === undefined) return Array.from({ length: count }, (_, unit) => unit)
  if (!Array.isArray(units)) throw argumentError('units', 'an array of unit numbers', units)
  if (units.length === 0) throw shapeError('units', 'at least one unit', 0)
  return Array.from(units, (unit: unknown, i) => checkInteger(`units[${i}]`, unit, 0, count - 1))
}

function rowsOf<P extends Precision>(
  weights: Matrix<FloatArray<P>>,
  units: readonly number[],
): Matrix<FloatArray<P>> {
  return weights.select(units)
}

/** Rows of a length of 1, in place; those of length 0 stay. */
async function toLength1<P extends Precision>(matrix: Matrix<FloatArray<P>>): Promise<Matrix<FloatArray<P>>> {
  for await (const [from, to] of rowSlices(matrix.rows, matrix.cols)) {
    for (let i = from; i < to; i++) {
      const row = matrix.row(i).data
      const length = lengthOf(row)
      if (length > 0) setScaled(row, row, 1 / length)
    }
  }
  return matrix
}

function emptyLike<P extends Precision>(
  { data, cols }: Matrix<FloatArray<P>>,
  rows: number,
): Matrix<FloatArray<P>> {
  return Matrix.from(allocate(precisionOf(data), rows * cols, 'inputs') as FloatArray<P>, rows, cols)
}

type Numbers = Float32Array | Float64Array

function dot(a: Numbers, b: Numbers): number {
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!
  return sum
}

function lengthOf(a: Numbers): number {
  return Math.sqrt(dot(a, a))
}

function setScaled(out: Numbers, from: Numbers, factor: number): void {
  for (let i = 0; i < out.length; i++) out[i] = from[i]! * factor
}

import { argumentError, checkInteger, checkNumber, shapeError } from '../base/check.js'
import { allocate, type FloatArray, type Precision, precisionOf } from '../base/precision.js'
import { Matrix } from '../data/matrix.js'
import { rowSlices } from '../data/slices.js'
import { checkLayers, type LayeredModel } from '../models/check-layers.js'
import { NativeWork } from '../native/call.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import { isMonotone } from '../objective/activation.js'
import { LayerChain } from './layer-chain.js'

/** Which units, and when the search ends. */
export interface ExcitingInputsOptions extends RunOptions {
  /** The layer of the units, counted from 1. */
  readonly layer: number
  /** Which of its units, counted from 0; one row of the answer for each. Default: all. */
  readonly units?: readonly number[] | undefined
  /** Most evaluations of all units together. Default 100. */
  readonly maxIterations?: number | undefined
  /**
   * The search for a unit ends when 1 − cos of the angle between input and gradient is at most this. Default 1e-4, less than one degree.
   */
  readonly tolerance?: number | undefined
}

/** The fraction of the predicted increase that a step must reach (Armijo). */
const ENOUGH = 0.25

/** The search for a unit ends if a shorter step would be needed. */
const SHORTEST = 2 ** -20

/** From this length on, a step leads almost exactly to the direction of the gradient, from any start. */
const LONGEST = 2 ** 10

/**
 * The input with ‖x‖ ≤ 1 that most excites each unit of a layer: the unit's feature.
 *
 * The weighted sum z is maximised, since activations do not fall as z grows; also for a softmax layer, where z is the score of a class. Layers
 * of gelu or silu units, whose outputs fall before they rise, are refused; the layers below may have any activation. For layer 1 the solution
 * is x = W[j,:]/‖W[j,:]‖. For deeper layers it is found by projected gradient ascent on the input: steps along the gradient of z, each
 * projected to ‖x‖ ≤ 1, halved until z increases enough and doubled afterwards. The start is the unit's weighted sum of lower features, row j
 * of W_l ⋯ W₁ at length 1. The result is a local maximum; for linear layers the start is already the global one. If the gradient of a unit is
 * 0 (inactive relu units below it), its start is returned.
 *
 * Inputs are those of the first layer: after the model's scaler, if it has one. Draw them with {@link featureImage}.
 *
 * Source: Erhan, Bengio, Courville & Vincent 2009, "Visualizing higher-layer features of a deep network", activation maximisation.
 *
 * @returns [units, inputs of the model], each row of length 1 at most, in the model's precision
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for anything but a model, an unknown layer or unit, and unknown options, and a layer of
 *   gelu or silu units
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
  const { weights, biases, activation } = layers[layer - 1]!
  if (activation !== 'softmax' && !isMonotone(activation)) {
    throw argumentError('layer', 'a layer whose outputs never fall as its weighted sums grow', activation)
  }
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

/** The function that is maximised: z of row u is `rows[u] · a + biases[u]`, where a are the outputs of the layers below. */
interface Goal<P extends Precision> {
  readonly rows: Matrix<FloatArray<P>>
  readonly biases: readonly number[]
}

/** The state of the search for one unit. */
interface Climber {
  z: number
  /** ‖∇z‖ */
  steepness: number
  /** The length of the next step to try; 0: done. */
  step: number
  /** The increase of z that the gradient predicts for it. */
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

/** trial = the point of the ball nearest to x + step · direction. Returns its distance from x along the direction. */
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

/** Normalises rows to length 1, in place; rows of zeros do not change. */
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

import {
  argumentError,
  type Complete,
  checkBoolean,
  checkChoice,
  checkFunction,
  checkInteger,
  checkKind,
  checkNumber,
  checkOptions,
} from '../base/check.js'
import type { CheckpointOptions } from '../checkpoint/options.js'
import type { RowWeightsOption } from '../data/row-weights.js'
import type { Rows } from '../data/rows.js'
import type { NativeOptimizer } from '../native/binding.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import { checkpointsOf } from './asked-options.js'
import type { Checkpoints } from './checkpoints.js'
import { defaults } from './defaults.js'
import { checkEarlyStopping, type EarlyStopping } from './early-stopping.js'
import type { EpochEvent, FitProgress } from './history.js'
import { type RateOf, rateOf, type Schedule } from './schedule.js'

/** θ ← θ − rate · gradient: the papers' own. */
export interface GradientDescent {
  /** Steps along the gradient alone. */
  readonly kind: 'gradientDescent'
}

/** v ← momentum · v + gradient, θ ← θ − rate · v. Source: Polyak 1964. */
export interface Momentum {
  /** Steps along a sum of all gradients so far, each weighted by `momentum` to the power of its age in steps. */
  readonly kind: 'momentum'
  /** What is kept of that sum at each step, from 0 to below 1. Default 0.9. */
  readonly momentum?: number | undefined
}

/** Source: Kingma & Ba, "Adam", algorithm 1. */
export interface Adam {
  /** Steps along the mean of the gradients, each parameter's divided by the size of its own. */
  readonly kind: 'adam'
  /** Decay of the mean of the gradients, from 0 to below 1. Default 0.9. */
  readonly beta1?: number | undefined
  /** Decay of the mean of their squares, from 0 to below 1. Default 0.999. */
  readonly beta2?: number | undefined
  /** Added to the root of that mean, at least 1e-30: float32 rounds far less to 0. Default 1e-8. */
  readonly epsilon?: number | undefined
}

/**
 * Limited-memory BFGS with a strong Wolfe line search, over all rows at once. Source: Nocedal & Wright, algorithms 7.4, 7.5,
 * 3.5 and 3.6. It has no epochs, minibatches or learning rate; one iteration counts as an epoch in history and callbacks.
 */
export interface Lbfgs {
  /** Over all rows at once; has no epochs, batches, rates or shuffles. */
  readonly kind: 'lbfgs'
  /** Iterations at most, at least 1: what `epochs` is for the others. Default 400. */
  readonly maxIterations?: number | undefined
  /** Pairs of vectors kept, from 1 to 1,000; they cost 2 · history vectors of memory, each as long as the parameters. Default 20. */
  readonly history?: number | undefined
  /**
   * Ends where the largest |gradient| is at most `tolerance` times what it was when the fit began, whatever the size of the data. At least
   * 0, where only `maxIterations` and rounding end it. Default 1e-5.
   */
  readonly tolerance?: number | undefined
}

/** When training ends before its last epoch. */
interface StoppingOptions {
  /** Ends the fit when the cost no longer falls; not with a hard sparsity constraint. Default: all epochs are trained. */
  readonly earlyStopping?: EarlyStopping | undefined
}

/** What goes with every optimizer. */
interface CommonFitOptions<V> extends RunOptions, StoppingOptions, RowWeightsOption {
  /**
   * Rows to measure after each epoch: rows like those trained on, or a fraction of these, in (0, 1), which is then held out of training.
   * Which rows are held out depends on the model's seed and the number of rows only, so that a further fit holds out the same; they keep their
   * `rowWeights`. Of rows in files, and with `shuffle: 'blocks'`, they are blocks of neighbours: 1,024 blocks or a few more in all, of at most
   * 256 rows each, of which the fraction is held out. Default: none are measured.
   */
  readonly validation?: V | number | undefined
  /**
   * Called after each epoch (L-BFGS: iteration) and awaited. If it throws or rejects, the fit rejects with that. An abort does not wait
   * for it: what it still does then is ignored, a rejection too. Default: none.
   */
  readonly onEpoch?: ((event: EpochEvent) => void | Promise<void>) | undefined
  /**
   * Called about every 100 ms and awaited; training goes on meanwhile for about 200 ms at most. If it throws or rejects, the fit rejects
   * with that. An abort does not wait for it. Default: none.
   */
  readonly onProgress?:
    | ((progress: FitProgress) => void)
    | ((progress: FitProgress) => Promise<void>)
    | undefined
  /**
   * Whether the history compares the reconstruction with that by as many principal components: `reconstruction.pca`, on the same training rows.
   * Of autoencoders with the loss `squared`; `ERR_ARGUMENT` with any other. After the training it takes the decomposition of a covariance of
   * the rows' columns, a fraction of a second for some hundred. Default false.
   */
  readonly comparePca?: boolean | undefined
  /** Where the training is written while it goes on, so that it can go on after an interruption: see {@link CheckpointOptions}. Default: nowhere. */
  readonly checkpoint?: CheckpointOptions | undefined
}

/** What goes with every optimizer but L-BFGS. */
interface FirstOrderOptions {
  /** How a step follows from a gradient. Default: {@link Adam}. */
  readonly optimizer?: GradientDescent | Momentum | Adam | undefined
  /**
   * How often all rows are gone through, at least 1. Default 20; without `batchSize` as often as makes at least 3,000 steps.
   */
  readonly epochs?: number | undefined
  /**
   * Length of a step: a number above 0, or one for each epoch. Default: Adam 3e-3 falling to 0 along a cosine, momentum 0.01, gradient descent
   * 0.1.
   */
  readonly learningRate?: number | Schedule | undefined
  /**
   * Largest 2-norm of the gradient of a step, above 0. A longer gradient is scaled to this norm before the optimizer uses it. The norm is that of
   * all parameters together, and the gradient that of the whole cost, weight decay and sparsity penalty included. Default: no gradient is scaled.
   */
  readonly clipNorm?: number | undefined
  /**
   * With which moments an optimizer begins: with new ones, or with those that the model's training before this one left, whatever rows it
   * was on (one that was aborted without a `checkpoint` leaves none); the mean activations of a sparsity penalty are kept too. That training must have had the same kind of optimizer; a model without one
   * since it was made or loaded begins with new ones. A schedule of kind `step` and a function then count epochs on from that training, while
   * `cosine` spans the epochs of each. They take memory, for Adam twice that of the parameters, until the model's next training. Default
   * `'fresh'`.
   */
  readonly optimizerState?: 'fresh' | 'keep' | undefined
}

/** In which order the steps of an epoch take the rows. */
type ShuffleOption = boolean | 'rows' | 'blocks'

/** A step sees some of the rows. */
interface MinibatchOptions extends FirstOrderOptions {
  /**
   * Rows a step, at least 1; the last of an epoch may have fewer. Default 256; without `epochs` a smaller power of two, at least 32, where 20
   * epochs would have fewer than 3,000 steps.
   */
  readonly batchSize?: number | undefined
  /**
   * The order of the rows, a new one in each epoch. `'rows'`: any order of all rows is equally likely. `'blocks'`: blocks of about 128 KiB of
   * neighbouring rows come in a random order, about 1,024 of them form a window, and the rows of a window are shuffled; rows of up to 128 MiB are
   * one window, and the order is that of `'rows'`. `true`: `'rows'` for rows in memory, `'blocks'` for rows of files. `false`: the rows' own order.
   * `ERR_ARGUMENT` for `'rows'` with rows of files, of which single rows are slow to read. Default true.
   */
  readonly shuffle?: ShuffleOption | undefined
}

/** A step sees all rows. */
interface FullBatchOptions extends FirstOrderOptions {
  /** One step an epoch, over all rows, in bounded memory. */
  readonly batchSize: 'all'
  /** Not here: in a step over all rows their order has no effect. */
  readonly shuffle?: undefined
}

/** An optimizer by itself: all that {@link Lbfgs} can be told is part of it. */
interface OptimizerAlone {
  /** How a step follows from a gradient. Default: {@link Adam}. */
  readonly optimizer?: GradientDescent | Momentum | Adam | Lbfgs | undefined
  /** Not with L-BFGS: its iterations are bounded by `optimizer.maxIterations`. */
  readonly epochs?: undefined
  /** Not with L-BFGS: each of its evaluations sees all rows. */
  readonly batchSize?: undefined
  /** Not with L-BFGS: a line search finds the length of each step. */
  readonly learningRate?: undefined
  /** Not with L-BFGS: each of its evaluations sees all rows. */
  readonly shuffle?: undefined
  /** Not with L-BFGS: a line search finds the length of each step. */
  readonly clipNorm?: undefined
  /** Not with L-BFGS: what it knows of a cost is of no use for that of other rows. */
  readonly optimizerState?: undefined
}

/** How parameters change. The compiler explains a mistake by the last of them. */
type OptimizerOptions = OptimizerAlone | FullBatchOptions | MinibatchOptions

/** Rows for validation that do not all count the same. */
export interface WeightedRows extends RowWeightsOption {
  /** Rows like those trained on. */
  readonly x: Rows
}

/** How to train; everything has a default. `V` is what rows for validation are given as. */
export type FitOptions<V = Rows | WeightedRows> = CommonFitOptions<V> & OptimizerOptions

/** How to train one layer of several: what may differ from layer to layer. */
export type LayerFitOptions = StoppingOptions & OptimizerOptions

/** Checked options, nothing left open. */
export interface FitSettings {
  /** The caller's validation rows, which are checked when their width is known, or the fraction to hold out. */
  readonly validation: unknown
  /** The caller's, checked when the number of rows is known. */
  readonly rowWeights: unknown
  readonly optimizer: NativeOptimizer
  /** Epochs, or iterations of L-BFGS. */
  readonly epochs: number
  /** Rows a step; 0 means all. */
  readonly batchSize: number
  /** What `true` is depends on where the rows are: `shuffleOf`. */
  readonly shuffle: ShuffleOption
  /** Undefined: any norm of a gradient. */
  readonly clipNorm: number | undefined
  /** Undefined for L-BFGS. */
  readonly rate: RateOf | undefined
  /** The rate over so many epochs, where neither epochs nor batchSize was given: both then follow from the number of rows. */
  readonly rateOver: ((epochs: number) => RateOf) | undefined
  /** It asks a function of the caller's. */
  readonly asksRate: boolean
  /** Whether it counts epochs on from an earlier training whose optimizer is kept. */
  readonly ratesGoOn: boolean
  readonly earlyStopping: Complete<EarlyStopping> | undefined
  readonly keepsOptimizer: boolean
  readonly comparesPca: boolean
  readonly checkpoints: Checkpoints | undefined
  readonly run: RunOptions
  readonly onEpoch: FitOptions['onEpoch']
  readonly onProgress: FitOptions['onProgress']
}

const COMMON = ['validation', 'rowWeights', 'onEpoch', 'onProgress', 'comparePca', 'checkpoint']
const NOT_WITH_LBFGS = {
  epochs: 'optimizer.maxIterations bounds its iterations',
  batchSize: 'it always sees all rows',
  learningRate: 'a line search finds the length of each step',
  shuffle: 'it always sees all rows',
  clipNorm: 'a line search finds the length of each step',
  optimizerState: 'what it knows of a cost is of no use for that of other rows',
}
const FIRST_ORDER = Object.keys(NOT_WITH_LBFGS)

/** Names of the options that may differ from layer to layer, and of all but those of every call. */
export const LAYER_FIT_OPTIONS = ['optimizer', ...FIRST_ORDER, 'earlyStopping']
export const FIT_OPTIONS = [...COMMON, ...LAYER_FIT_OPTIONS]

/**
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for unknown options, wrong types, numbers out of range, and pairs that do not go together
 */
export function checkFitOptions(options: unknown): FitSettings {
  const given = checkRunOptions(options, FIT_OPTIONS)
  const settings = checkGiven(given)
  return { ...settings, checkpoints: checkpointsOf(given) }
}

function checkGiven(given: RunOptions & Record<string, unknown>): Omit<FitSettings, 'checkpoints'> {
  const common = {
    validation: checkValidation(given.validation),
    rowWeights: given.rowWeights,
    comparesPca: given.comparePca !== undefined && checkBoolean('comparePca', given.comparePca),
    earlyStopping:
      given.earlyStopping === undefined
        ? undefined
        : checkEarlyStopping('earlyStopping', given.earlyStopping),
    run: given,
    onEpoch: checkFunction('onEpoch', given.onEpoch as FitOptions['onEpoch']),
    onProgress: checkFunction('onProgress', given.onProgress as FitOptions['onProgress']),
  }
  const kind = optimizerKind(given.optimizer)
  if (kind === 'lbfgs') {
    for (const [key, why] of Object.entries(NOT_WITH_LBFGS)) {
      if (given[key] !== undefined)
        throw argumentError(key, `nothing, since lbfgs has no ${key}: ${why}`, given[key])
    }
    const { maxIterations, optimizer } = checkLbfgs(given.optimizer)
    return {
      ...common,
      optimizer,
      epochs: maxIterations,
      batchSize: 0,
      shuffle: false,
      clipNorm: undefined,
      rate: undefined,
      rateOver: undefined,
      asksRate: false,
      ratesGoOn: false,
      keepsOptimizer: false,
    }
  }
  const { learningRate = defaultSchedule(kind), shuffle = defaults.shuffle } = given
  const epochs = checkInteger('epochs', given.epochs === undefined ? defaults.epochs : given.epochs)
  const batchSize = checkBatchSize(given.batchSize === undefined ? defaults.batchSize : given.batchSize)
  if (batchSize === 0 && given.shuffle !== undefined) {
    throw argumentError(
      'shuffle',
      "nothing, since with batchSize 'all' the order has no effect",
      given.shuffle,
    )
  }
  return {
    ...common,
    optimizer: checkFirstOrder(kind, given.optimizer),
    epochs,
    batchSize,
    shuffle: batchSize !== 0 && checkShuffle(shuffle),
    clipNorm:
      given.clipNorm === undefined
        ? undefined
        : checkNumber('clipNorm', given.clipNorm, { min: 0, open: true }),
    rate: rateOf('learningRate', learningRate, epochs),
    rateOver:
      given.epochs === undefined && given.batchSize === undefined
        ? (most) => rateOf('learningRate', learningRate, most)
        : undefined,
    asksRate: typeof learningRate === 'function',
    ratesGoOn: (learningRate as { kind?: unknown }).kind !== 'cosine',
    keepsOptimizer:
      given.optimizerState !== undefined &&
      checkChoice('optimizerState', given.optimizerState, ['fresh', 'keep']) === 'keep',
  }
}

function optimizerKind(optimizer: unknown): NativeOptimizer['kind'] {
  if (optimizer === undefined) return 'adam'
  if (optimizer === null || typeof optimizer !== 'object') {
    throw argumentError('optimizer', "an object such as { kind: 'adam' }", optimizer)
  }
  return checkKind('optimizer', optimizer, ['gradientDescent', 'momentum', 'adam', 'lbfgs'])
}

function checkFirstOrder(kind: 'gradientDescent' | 'momentum' | 'adam', optimizer: unknown): NativeOptimizer {
  const decay = (name: string, value: unknown) => {
    const number = checkNumber(`optimizer.${name}`, value, { min: 0, max: 1 })
    if (number === 1) throw argumentError(`optimizer.${name}`, 'a number of at least 0 and below 1', value)
    return number
  }
  const { adam, momentum: polyak } = defaults
  if (kind === 'gradientDescent') {
    checkOptions('optimizer', optimizer, ['kind'])
    return { kind }
  }
  if (kind === 'momentum') {
    const given = checkOptions('optimizer', optimizer, ['kind', 'momentum'])
    const { momentum = polyak.momentum } = given
    return { kind, momentum: decay('momentum', momentum) }
  }
  const given = checkOptions('optimizer', optimizer, ['kind', 'beta1', 'beta2', 'epsilon'])
  const { beta1 = adam.beta1, beta2 = adam.beta2, epsilon = adam.epsilon } = given
  return {
    kind,
    beta1: decay('beta1', beta1),
    beta2: decay('beta2', beta2),
    epsilon: checkNumber('optimizer.epsilon', epsilon, { min: 1e-30 }),
  }
}

function checkLbfgs(value: unknown): { maxIterations: number; optimizer: NativeOptimizer } {
  const given = checkOptions('optimizer', value, ['kind', 'maxIterations', 'history', 'tolerance'])
  const { lbfgs } = defaults
  const { maxIterations = lbfgs.maxIterations, history = lbfgs.history, tolerance = lbfgs.tolerance } = given
  return {
    maxIterations: checkInteger('optimizer.maxIterations', maxIterations),
    optimizer: {
      kind: 'lbfgs',
      history: checkInteger('optimizer.history', history, 1, 1000),
      tolerance: checkNumber('optimizer.tolerance', tolerance, { min: 0 }),
    },
  }
}

function checkBatchSize(value: unknown): number {
  if (value === 'all') return 0
  if (typeof value !== 'number')
    throw argumentError('batchSize', "a whole number of at least 1, or 'all'", value)
  return checkInteger('batchSize', value)
}

function checkShuffle(value: unknown): ShuffleOption {
  if (typeof value !== 'boolean' && value !== 'rows' && value !== 'blocks')
    throw argumentError('shuffle', "true, false, 'rows' or 'blocks'", value)
  return value
}

function defaultSchedule(kind: 'gradientDescent' | 'momentum' | 'adam'): Schedule {
  const { rate } = defaults[kind]
  return kind === 'adam' ? { kind: 'cosine', rate } : { kind: 'constant', rate }
}

/** Rows are checked later, when their width is known. */
function checkValidation(value: unknown): unknown {
  if (typeof value === 'number' && !(value > 0 && value < 1)) {
    throw argumentError('validation', 'rows, or the fraction of x to hold out, above 0 and below 1', value)
  }
  return value
}

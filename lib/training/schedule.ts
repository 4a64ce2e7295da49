import { argumentError, checkInteger, checkKind, checkNumber, checkOptions } from '../base/check.js'

/**
 * The learning rate of each epoch; within an epoch it is constant.
 *
 * - `constant`: `rate` throughout. A bare number is short for it
 * - `step`: `rate`, times `factor` after every `every` epochs
 * - `cosine`: from `rate` in the first epoch along half a cosine towards `final` (default 0), which the epoch after the last
 *   would have. Source: Loshchilov & Hutter, "SGDR", eq. 5, without restarts
 * - a function of the epoch, counted from 1; its answers must be numbers, not promises, finite and at least 0
 */
export type Schedule = ConstantSchedule | StepSchedule | CosineSchedule | ((epoch: number) => number)

/** The same rate in every epoch. */
export interface ConstantSchedule {
  /** The rate does not change. */
  readonly kind: 'constant'
  /** Learning rate, above 0. */
  readonly rate: number
}

/** A rate that changes by a factor, epochs apart. */
export interface StepSchedule {
  /** The rate is rate · factor^⌊(epoch − 1)/every⌋. */
  readonly kind: 'step'
  /** Learning rate of the first epochs, above 0. */
  readonly rate: number
  /** Epochs between changes, at least 1. */
  readonly every: number
  /** What the rate is multiplied by at each change, above 0; below 1 it falls. */
  readonly factor: number
}

/** A rate that falls along half a cosine. */
export interface CosineSchedule {
  /** The rate is final + (rate − final) · (1 + cos(π (epoch − 1)/epochs))/2. */
  readonly kind: 'cosine'
  /** Learning rate of the first epoch, above 0. */
  readonly rate: number
  /** Learning rate that the epoch after the last would have, at least 0. Default 0. */
  readonly final?: number | undefined
}

/** The rate of an epoch counted from 1. */
export type RateOf = (epoch: number) => number

/** What each kind knows besides `rate`. */
const MORE = { constant: [], step: ['every', 'factor'], cosine: ['final'] } as const

/** Checks a learning rate, and makes it a function of the epoch. */
export function rateOf(argument: string, value: unknown, epochs: number): RateOf {
  if (typeof value === 'number') {
    const rate = positive(argument, value)
    return () => rate
  }
  if (typeof value === 'function') {
    return (epoch) => {
      const rate: unknown = value(epoch)
      // A promise is refused as any other object; that it may reject later does not matter any more.
      if (typeof rate === 'object') Promise.resolve(rate).catch(() => {})
      return checkNumber(`${argument}(${epoch})`, rate, { min: 0 })
    }
  }
  if (value === null || typeof value !== 'object' || Array.isArray(value)) {
    throw argumentError(argument, 'a number, a schedule or a function of the epoch', value)
  }
  const kind = checkKind(argument, value, ['constant', 'step', 'cosine'])
  const given = checkOptions(argument, value, ['kind', 'rate', ...MORE[kind]])
  const rate = positive(`${argument}.rate`, given.rate)
  if (kind === 'constant') {
    return () => rate
  }
  if (kind === 'step') {
    const every = checkInteger(`${argument}.every`, given.every)
    const factor = positive(`${argument}.factor`, given.factor)
    return (epoch) => rate * factor ** Math.floor((epoch - 1) / every)
  }
  const { final: end = 0 } = given
  const final = checkNumber(`${argument}.final`, end, { min: 0 })
  return (epoch) => final + ((rate - final) * (1 + Math.cos((Math.PI * (epoch - 1)) / epochs))) / 2
}

function positive(argument: string, value: unknown): number {
  return checkNumber(argument, value, { min: 0, open: true })
}

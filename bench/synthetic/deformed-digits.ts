import { CIRESAN, type Deformation, Deformer, PIXELS } from './deform.js'
import type { RowMaker } from './maker.js'
import { type Digits, trainingDigits } from './mnist.js'

export interface DeformedOptions {
  /** Default 0. */
  readonly seed?: number
  /** Default {@link CIRESAN}. */
  readonly deformation?: Deformation
  /** The training digits that are deformed, in turn: the first ones, as many. Default all 60,000. */
  readonly of?: number
}

/** Digits that are turned half as far, since they look like each other then. */
const STEADY = [1, 7]

/**
 * Endless digits, as those of infinite MNIST (Loosli, Canu & Bottou, 2007): number i is training digit i modulo their number, deformed by a
 * function of seed and i.
 */
export class DeformedDigits implements RowMaker<Uint8Array> {
  readonly cols = PIXELS
  readonly #digits: Digits
  readonly #count: number
  readonly #deformer: Deformer

  constructor(digits: Digits, { seed = 0, deformation = CIRESAN, of }: DeformedOptions = {}) {
    this.#digits = digits
    this.#count = of ?? digits.labels.length
    this.#deformer = new Deformer(seed, deformation)
  }

  /** The digit that it shows. */
  label(number: number): number {
    return this.#digits.labels[number % this.#count]!
  }

  make(from: number, to: number): Uint8Array {
    const rows = new Uint8Array((to - from) * PIXELS)
    for (let number = from; number < to; number++) {
      const steadiness = STEADY.includes(this.label(number)) ? 0.5 : 1
      const source = (number % this.#count) * PIXELS
      this.#deformer.deform(number, this.#digits.images, source, rows, (number - from) * PIXELS, steadiness)
    }
    return rows
  }
}

/** For threads that make rows. */
export function maker(options: DeformedOptions): RowMaker<Uint8Array> {
  return new DeformedDigits(trainingDigits(), options)
}

import { RowRandom } from './random.js'
import { SURFACE, smoothSurface } from './surface.js'

/** Width and height of an image. */
export const SIDE = 28
export const PIXELS = SIDE * SIDE

/** How far images are deformed. Each of an image's values is uniform between −limit and limit. */
export interface Deformation {
  /** Degrees that an image is rotated, or its lines are sheared: one of both, by chance. */
  readonly angle: number
  /** Share that width and height grow, each by itself. */
  readonly scaling: number
  /** Pixels to the right and down. */
  readonly shift: number
  /**
   * Elastic deformation as of Simard, Steinkraus & Platt, 2003: each pixel moves by `alpha` times a field of noise that is uniform on [−1, 1] and
   * smoothed by a Gaussian of standard deviation `sigma`, in pixels.
   */
  readonly elastic: { readonly sigma: number; readonly alpha: number }
}

/** In the middle of the ranges of Ciresan et al., 2010. */
export const CIRESAN: Deformation = {
  angle: 15,
  scaling: 0.175,
  shift: 0,
  elastic: { sigma: 5.5, alpha: 37 },
}

/** Empty pixels around the image that is read, so that places outside of it need no test. */
const MARGIN = 1
const PADDED = SIDE + 2 * MARGIN + 1

/** Deforms images; what it does to an image is a function of seed and number. */
export class Deformer {
  readonly #deformation: Deformation
  readonly #random: RowRandom
  readonly #right: Float32Array
  readonly #down: Float32Array
  readonly #padded = new Uint8Array(PADDED * PADDED)

  constructor(seed: number, deformation: Deformation) {
    this.#deformation = deformation
    this.#random = new RowRandom(seed)
    const { sigma } = deformation.elastic
    this.#right = smoothSurface(seed + 1, sigma)
    this.#down = smoothSurface(seed + 2, sigma)
  }

  /**
   * @param number - of the deformation, 0 to 2³² − 1
   * @param images - the image to deform begins at `from`
   * @param into - receives it from `at` on
   * @param steadiness - multiplies the limit of the angle
   */
  deform(
    number: number,
    images: Uint8Array,
    from: number,
    into: Uint8Array,
    at: number,
    steadiness = 1,
  ): void {
    const random = this.#random
    random.begin(number)
    const { scaling, shift, angle, elastic } = this.#deformation
    const turn = (random.between(-angle, angle) * steadiness * Math.PI) / 180
    const rotates = random.next() < 0.5
    const [wider, higher] = [1 + random.between(-scaling, scaling), 1 + random.between(-scaling, scaling)]
    const [right, down] = [random.between(-shift, shift), random.between(-shift, shift)]
    const [cos, sin] = rotates ? [Math.cos(turn), Math.sin(turn)] : [1, 0]
    const slope = rotates ? sin : Math.tan(turn)
    const field = [random.below(SURFACE), random.below(SURFACE)] as const
    this.#pad(images, from)
    // The place in the source that pixel (x, y) is read from, from the centre on, is [[xx, xy], [yx, yy]] (x, y).
    const [xx, xy, yx, yy] = [cos / wider, slope / wider, -sin / higher, cos / higher]
    const centre = (SIDE - 1) / 2
    const [alpha, fx, fy] = [elastic.alpha, this.#right, this.#down]
    const last = SIDE + MARGIN
    const padded = this.#padded
    for (let y = 0; y < SIDE; y++) {
      const v = y - centre - down
      const line = ((field[1] + y) & (SURFACE - 1)) * SURFACE
      for (let x = 0; x < SIDE; x++) {
        const u = x - centre - right
        const point = line + ((field[0] + x) & (SURFACE - 1))
        const sx = inside(MARGIN + centre + xx * u + xy * v + alpha * fx[point]!, last)
        const sy = inside(MARGIN + centre + yx * u + yy * v + alpha * fy[point]!, last)
        const [column, row] = [Math.trunc(sx), Math.trunc(sy)]
        const [p, q] = [sx - column, sy - row]
        const place = row * PADDED + column
        const above = padded[place]! + p * (padded[place + 1]! - padded[place]!)
        const under = padded[place + PADDED]! + p * (padded[place + PADDED + 1]! - padded[place + PADDED]!)
        into[at + y * SIDE + x] = Math.trunc(above + q * (under - above) + 0.5)
      }
    }
  }

  #pad(images: Uint8Array, from: number): void {
    for (let y = 0; y < SIDE; y++) {
      const [source, target] = [from + y * SIDE, (y + MARGIN) * PADDED + MARGIN]
      for (let x = 0; x < SIDE; x++) this.#padded[target + x] = images[source + x]!
    }
  }
}

function inside(place: number, last: number): number {
  return Math.min(Math.max(place, 0), last)
}

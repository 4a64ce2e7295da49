import { argumentError, checkOptions } from '../base/check.js'
import { storedNumbers } from '../data/halves.js'
import { asMatrix, type Matrix } from '../data/matrix.js'
import { checkFinite } from './finite.js'
import type { Image } from './image.js'
import { paintTiles, TILE_OPTIONS, type TileOptions, tileSize } from './tiles.js'

/** The shape of one input, and how the tiles are laid out. */
export type FeatureImageOptions = TileOptions

/** The source of a feature picture: a model whose first layer takes the input. */
export interface FeatureModel {
  /** The first is drawn; there is at least one. */
  readonly layers: readonly FeatureLayer[]
}

/** A layer of which a feature picture is made. */
export interface FeatureLayer {
  /** [units, inputs]: one tile a row. */
  readonly weights: Matrix
}

/**
 * A picture of the feature of each unit of the first layer: the input that most excites unit j under ‖x‖ ≤ 1,
 *
 *   xᵢ = W1[j,i] / ‖W1[j,:]‖
 *
 * as one tile a unit, each scaled by itself: grey 128 is 0, and its largest |xᵢ| becomes white or black. (The norm therefore
 * cancels: a tile shows the form of a feature, not its strength.) A unit with all weights 0 is plain grey. Gaps are black.
 * On the calling thread, some 20 ns a weight.
 *
 * Source: UFLDL, "Visualizing a trained autoencoder" and `display_network.m`.
 * Differs: that script first subtracts the mean of all weights; here grey is a weight of exactly 0.
 *
 * @param model - a model, or anything with `layers[0].weights` `[hidden, inputs]`; or a Matrix whose rows are drawn the same way, such as
 *   {@link excitingInputs} of deeper layers or the components of a PCA
 * @param options - `width` and `height` of one input in pixels (`height` default `inputs / width`), `columns` (default
 *   ⌈√hidden⌉), `gap` (default 1), `zoom` (default 1)
 * @throws {@link LayerwiseError} `ERR_SHAPE` if `width * height` is not the number of inputs
 * @throws {@link LayerwiseError} `ERR_RANGE` if a weight is not finite
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for other options
 */
export function featureImage(model: FeatureModel | Matrix, options: FeatureImageOptions): Image {
  const checked = checkOptions('options', options, TILE_OPTIONS)
  const whole = asMatrix('model', model)
  const argument = whole === undefined ? 'layers[0].weights' : 'model'
  const weights =
    whole ?? asMatrix(argument, (model as Partial<FeatureModel> | null | undefined)?.layers?.[0]?.weights)
  if (weights === undefined || weights.rows === 0) {
    throw argumentError('model', 'a model with layers[0].weights, or a Matrix, of at least one row', model)
  }
  const { width, height } = tileSize(checked, argument, weights.cols)
  const grid = {
    count: weights.rows,
    width,
    height,
    columns: Math.ceil(Math.sqrt(weights.rows)),
    background: 0,
  }
  return paintTiles(checked, grid, (unit, put) => {
    const w = storedNumbers(weights.row(unit).data, weights.type)
    const largest = largestMagnitude(argument, w, unit)
    for (let i = 0; i < w.length; i++) {
      const x = largest === 0 ? 0 : (w[i]! * Math.sign(weights.scale)) / largest
      put(i % width, Math.floor(i / width), Math.round(127.5 + 127.5 * x))
    }
  })
}

function largestMagnitude(argument: string, w: ArrayLike<number>, unit: number): number {
  let largest = 0
  for (let i = 0; i < w.length; i++) {
    largest = Math.max(largest, Math.abs(checkFinite(argument, w[i]!, unit, i)))
  }
  return largest
}

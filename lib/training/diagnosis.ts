import { LayerwiseError } from '../base/errors.js'
import type { Floats, NativeLayer, NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import type { CostParts } from '../objective/cost.js'
import { unitCounts } from './diagnosed-units.js'
import type { CostShares, Reconstruction, TrainingDiagnosis, UnitCounts } from './diagnosis-record.js'
import { pcaReconstruction } from './pca-reconstruction.js'
import type { TrainableLayers, TrainingRequest } from './request.js'
import { sampledRows } from './sampled-rows.js'
import { type ColumnSquares, columnSquares } from './squares.js'
import { warningsOf } from './warnings.js'

/** What is looked at. */
interface Trained {
  readonly request: TrainingRequest
  readonly rows: NativeRows
  /** The final ones, of all its layers. */
  readonly parameters: Floats
  readonly cost: CostParts | undefined
}

/** Looks at some of the training rows with the final parameters. */
export async function diagnosed(
  { request, rows, parameters, cost }: Trained,
  work: NativeWork,
): Promise<TrainingDiagnosis> {
  const costShares = sharesOf(cost)
  const { network, objective, phase, settings } = request
  const seen = { costShares, isInput: (phase?.layer ?? 1) === 1, layer: phase?.layer }
  // Codes that are computed again for each batch are nowhere to be looked at.
  if (objective.training.loss === 'logLoss' || rows.through !== undefined)
    return { costShares, warnings: warningsOf(seen) }
  try {
    const sample = sampledRows(rows)
    const squares = await columnSquares(network, parameters, sample, work)
    const units: UnitCounts[] = []
    for (let k = 1; k <= encoders(network); k++) {
      units.push(
        await unitCounts(network.layers.slice(0, k), first(network.layers, k, parameters), sample, work),
      )
    }
    const found = reconstructionOf(squares)
    const compared = settings.comparesPca && found.rSquared !== null
    const pca = compared ? await pcaReconstruction(network, sample, work) : undefined
    const reconstruction = { ...found, ...(pca && { pca }) }
    return {
      reconstruction,
      units,
      costShares,
      warnings: warningsOf({ ...seen, reconstruction, units, squares }),
    }
  } catch (error) {
    // Rows whose answer the precision cannot hold; the training itself is good.
    if (error instanceof LayerwiseError && error.code === 'ERR_RANGE')
      return { costShares, warnings: warningsOf(seen) }
    throw error
  }
}

function sharesOf(cost: CostParts | undefined): CostShares {
  const { total = 0, loss = 0, weightDecay = 0, sparsity = 0 } = cost ?? {}
  const share = (part: number) => (total > 0 ? part / total : 0)
  return { loss: share(loss), weightDecay: share(weightDecay), sparsity: share(sparsity) }
}

function encoders({ layers }: TrainableLayers): number {
  return Math.floor(layers.length / 2)
}

/** The parameters of the first layers. */
function first(layers: readonly NativeLayer[], count: number, parameters: Floats): Floats {
  let length = 0
  for (const { inputs, outputs, tied, biases } of layers.slice(0, count)) {
    length += (tied === undefined ? inputs * outputs : 0) + (biases === false ? 0 : outputs)
  }
  return parameters.subarray(0, length)
}

function reconstructionOf({ rows, errors, spreads, constant }: ColumnSquares): Reconstruction {
  let [error, spread] = [0, 0]
  const perColumn = Array.from(errors, (squares, j) => {
    if (constant[j]) return null
    error += squares
    spread += spreads[j]!
    return 1 - squares / spreads[j]!
  })
  return { rSquared: spread > 0 ? 1 - error / spread : null, perColumn, rows }
}

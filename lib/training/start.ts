import type { Activation } from '../objective/activation.js'
import { AugmentedLagrangian } from './augmented-lagrangian.js'
import type { Resumption } from './checkpoints.js'
import { BestEpoch } from './early-stopping.js'
import type { KeptOptimizer } from './kept-optimizer.js'
import type { TrainingRequest } from './request.js'
import { RunState } from './run-state.js'

/** What a training knows when it begins, or goes on. */
export function startOf(
  request: TrainingRequest,
  resumption: Resumption | undefined,
  kept: KeptOptimizer | undefined,
): RunState {
  const { network, settings } = request
  const best = settings.earlyStopping && new BestEpoch(settings.earlyStopping)
  const state = new RunState(best, constraintOf(request), resumption?.epochs)
  state.epochsBefore = kept?.epochs ?? 0
  if (resumption === undefined) return state
  const { entries, job } = resumption
  settings.checkpoints!.reading(() => state.restore(entries, job, network.parameters.length))
  return state
}

/** The hard constraint that is asked for, if there is one: always the first layer's. */
function constraintOf({ network, objective, settings }: TrainingRequest): AugmentedLagrangian | undefined {
  const penalty = objective.training.penalties.find(({ kind }) => kind === 'constraint')
  if (penalty === undefined) return undefined
  const { outputs, activation } = network.layers[penalty.layer]!
  const firstOrder = settings.batchSize === 0 ? 'allRows' : 'minibatches'
  const method = settings.rate === undefined ? 'lbfgs' : firstOrder
  return new AugmentedLagrangian(penalty, outputs, activation as Activation, method)
}

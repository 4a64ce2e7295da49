import { type Recipe, recipes } from '../../lib/anomaly/recipe.js'
import type { TrainedOn } from '../../lib/index.js'
import { type Outcome, overTables, recipeOf, tried } from './contestants.js'
import type { Protocol, Table } from './tables.js'

/** Two random halves of the tables, several times: what was chosen on one half is judged on the other. */
const HALVINGS = 50

/**
 * Tries each candidate, chooses the best by area under the ROC curve on half of the tables, and judges it on the other half; both ways, for the
 * halves by turns of the alphabet and for random ones.
 */
export async function tryRecipes(tables: readonly Table[], seeds: number): Promise<string> {
  const parts: string[] = []
  for (const [trainedOn, protocol] of [
    ['clean', 'oneclass'],
    ['mixed', 'unsupervised'],
  ] as const) {
    const outcomes: Outcome[] = []
    for (const [name, recipe] of candidates(trainedOn)) {
      console.error(`bench: ${trainedOn}, ${name}`)
      outcomes.push(await tried(recipeOf(name, recipe), tables, seeds, [protocol]))
    }
    parts.push(`${trainedOn} (${protocol})`, textOf(outcomes, protocol, tables))
  }
  return parts.join('\n\n')
}

function candidates(trainedOn: TrainedOn): [name: string, recipe: Recipe][] {
  const own = recipes[trainedOn]
  const changes: Partial<Recipe>[] =
    trainedOn === 'clean'
      ? [
          {},
          { members: 1 },
          { members: 3 },
          { hidden: [128, 64] },
          { minSteps: 0 },
          { epochs: 15, minSteps: 1500 },
          { epochs: 30, minSteps: 3000 },
          { epochs: 60 },
          { layerEpochs: 20 },
        ]
      : [
          {},
          { kept: 0.5 },
          { kept: 0.8 },
          { kept: 1 },
          { epochs: 5 },
          { epochs: 20 },
          { hidden: [32, 16] },
          { minSteps: 1000 },
          { members: 3 },
        ]
  return changes.map((change) => [
    Object.entries(change)
      .map(([key, value]) => `${key} ${value}`)
      .join(', ') || 'the recipe',
    { ...own, ...change },
  ])
}

function textOf(outcomes: readonly Outcome[], protocol: Protocol, tables: readonly Table[]): string {
  const names = tables.map(({ name }) => name)
  const auroc = (outcome: Outcome, some: readonly string[]) =>
    overTables(outcome.figures, protocol, some)!.auroc
  const bestOn = (some: readonly string[]) =>
    outcomes.reduce((best, one) => (auroc(one, some) > auroc(best, some) ? one : best))
  const lines = outcomes.map((outcome) => {
    const { auroc: area, precision } = overTables(outcome.figures, protocol, names)!
    return `  ${outcome.name.padEnd(20)} ${area.toFixed(4)} / ${precision.toFixed(4)}   fit ${outcome.fitSeconds[protocol].toFixed(2)} s`
  })
  const turns = [0, 1].map((turn) => names.filter((_, k) => k % 2 === turn))
  const both = [
    [turns[0]!, turns[1]!],
    [turns[1]!, turns[0]!],
  ] as const
  const judged = both.map(([chosenOn, judgedOn]) => {
    const best = bestOn(chosenOn)
    return `  chosen on ${chosenOn.length} tables: ${best.name}; on the other ${judgedOn.length}: ${auroc(best, judgedOn).toFixed(4)}, the recipe ${auroc(outcomes[0]!, judgedOn).toFixed(4)}`
  })
  const random = halvings(names).flatMap(([a, b]) => [auroc(bestOn(a), b), auroc(bestOn(b), a)])
  const mean = random.reduce((sum, value) => sum + value, 0) / random.length
  return [...lines, ...judged, `  mean over ${random.length} random choices: ${mean.toFixed(4)}`].join('\n')
}

function halvings(names: readonly string[]): [string[], string[]][] {
  let state = 1
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state
  }
  return Array.from({ length: HALVINGS }, () => {
    const order = names.map((name) => ({ name, key: random() })).sort((a, b) => a.key - b.key)
    const half = Math.floor(names.length / 2)
    const nameOf = ({ name }: { name: string }) => name
    return [order.slice(0, half).map(nameOf), order.slice(half).map(nameOf)]
  })
}

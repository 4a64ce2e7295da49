/**
 * Anomaly scores on labelled tables, beside PyOD; see `docs/benchmarks.md`, "Anomaly scores".
 *
 *   npm run bench -- anomaly --data FOLDER [--seeds N] [--layers | --recipes | --check] [--peers] [--json]
 */
import { parseArgs } from 'node:util'
import { environment } from '../measuring/environment.js'
import { checkProtocol } from './check.js'
import { detector, singleLayer, tried } from './contestants.js'
import { tryRecipes } from './cross-validation.js'
import { scoreOfOneRow } from './one-row.js'
import { runPyod } from './pyod.js'
import { outcomeText, referenceText, tableText } from './report.js'
import { readReference, readTables } from './tables.js'

export const anomalyName = 'anomaly'

export const anomalyUsage = `npm run bench -- anomaly --data FOLDER [--seeds N] [--layers | --recipes | --check] [--peers] [--json]
  --data     folder with NAME_x.npy, NAME_y.npy, NAME_split.npy and reference.csv
  --seeds    of each table, default all
  --layers   instead of the detectors: one layer with the defaults of fit, behind both scalers
  --recipes  instead: candidates for the recipes, chosen on half of the tables and judged on the others
  --check    instead: whether distances to the fifth neighbour give the figures of reference.csv, so that the protocol is the same
  --peers    also run PyOD's AutoEncoder here, on one thread (a Python with pyod: LAYERWISE_PYTHON, or that of bench:peers)`

export async function benchAnomaly(args: readonly string[]): Promise<void> {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: 'string' },
      seeds: { type: 'string', default: '1000' },
      layers: { type: 'boolean', default: false },
      recipes: { type: 'boolean', default: false },
      check: { type: 'boolean', default: false },
      peers: { type: 'boolean', default: false },
      json: { type: 'boolean', default: false },
    },
  })
  const folder = values.data
  if (folder === undefined) throw new Error(`--data: expected the folder of the tables\n${anomalyUsage}`)
  const seeds = Number(values.seeds)
  if (!(Number.isInteger(seeds) && seeds >= 1)) throw new Error('--seeds: expected a whole number above 0')
  const tables = await readTables(folder)
  const reference = readReference(folder)
  const names = tables.map(({ name }) => name)
  if (values.check) return console.log(checkProtocol(tables, reference))
  if (values.recipes) return console.log(await tryRecipes(tables, seeds))
  const contestants = values.layers
    ? [singleLayer('standard'), singleLayer('minMax')]
    : [detector('clean'), detector('mixed')]
  const outcomes = []
  for (const contestant of contestants) {
    console.error(`bench: ${contestant.name}`)
    outcomes.push(await tried(contestant, tables, seeds))
  }
  const oneRow = values.layers ? undefined : await scoreOfOneRow()
  if (values.peers) outcomes.push(await runPyod(folder, tables, seeds))
  if (values.json) {
    const plain = outcomes.map((outcome) => ({ ...outcome, figures: Object.fromEntries(outcome.figures) }))
    return console.log(JSON.stringify({ environment: environment(), outcomes: plain, oneRow }, null, 2))
  }
  const where = Object.entries(environment()).map(([name, value]) => `${name} ${value}`)
  console.log(
    [
      where.join(' · '),
      tableText(outcomes, reference, names),
      [
        'mean over the tables: AUROC / average precision',
        ...outcomes.map((one) => outcomeText(one, names)),
      ].join('\n'),
      referenceText(reference, names),
      ...(oneRow === undefined ? [] : [oneRow]),
    ].join('\n\n'),
  )
}

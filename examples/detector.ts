// Anomalies in a table without labels: measurements of machines, of which a few percent are out of order. A detector learns from all rows, says of
// new ones whether they are unlike the others, and because of which column. Then the whole fleet wears: the scores drift, and the detector learns on.
//
//   npm run examples -- detector
import { mkdir } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { AnomalyDetector, averagePrecision, loadModel, rocAuc } from '../lib/index.js'

const columns = ['load', 'speed', 'temperature', 'vibration', 'current', 'pressure'] as const
const MACHINES = 3000
/** Of the rows that a detector learns from. */
const OUT_OF_ORDER = 0.03

/** Numbers from 0 to 1, the same in every run. */
let state = 1
function random(): number {
  state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
  return (state + 0.5) / 2 ** 32
}
const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())

/** A machine in order: everything follows from its load and speed. */
function measured(wear = 0): number[] {
  const [load, speed] = [50 + 15 * normal(), 1500 + 200 * normal()]
  return [
    load,
    speed,
    40 + 0.4 * load + 0.01 * speed + 2 * normal() + wear,
    0.002 * speed + 0.2 * normal(),
    0.1 * load + 0.3 * normal(),
    6 - 0.02 * load + 0.1 * normal(),
  ]
}

/** One that is out of order: one value does not follow from the others, though it is not rare by itself. */
function outOfOrder(): { row: number[]; column: number } {
  const row = measured()
  const column = 2 + Math.floor(4 * random())
  const spread = [15, 200, 6.6, 0.45, 1.5, 0.32][column]!
  row[column]! += (random() < 0.5 ? -1 : 1) * 3 * spread
  return { row, column }
}

export async function main(): Promise<void> {
  const isOutOfOrder = Array.from({ length: MACHINES }, () => random() < OUT_OF_ORDER)
  const rows = isOutOfOrder.map((broken) => (broken ? outOfOrder().row : measured()))

  const detector = new AnomalyDetector({ columns, contamination: OUT_OF_ORDER })
  const { trained, leftOut, heldOut } = await detector.fit(rows)
  console.log(
    `learned from ${trained} rows; ${leftOut} far from the centre were left out, ${heldOut} held out`,
  )
  const scores = await detector.score(rows)
  const [area, precision] = [rocAuc(scores, isOutOfOrder), averagePrecision(scores, isOutOfOrder)]
  console.log(`area under the ROC curve ${area.toFixed(3)}, average precision ${precision.toFixed(3)}`)

  const { row, column } = outOfOrder()
  const { score, isAnomaly, normal: probability } = detector.predictSync(row)
  console.log(
    `\na machine with a wrong ${columns[column]}: score ${score.toFixed(1)}, ${isAnomaly ? 'an anomaly' : 'normal'}; ` +
      `of normal rows ${(100 * probability).toFixed(2)}% score as high`,
  )
  for (const { column: name, value, expected, effect } of detector.explain(row).slice(0, 3)) {
    const [found, wanted] = [value, expected].map((number) => Number(number).toFixed(2))
    console.log(
      `  ${name.padEnd(12)} ${found} where ${wanted} was expected: ${effect.toFixed(2)} of the score`,
    )
  }

  const broken = Array.from({ length: 200 }, outOfOrder)
  const named = broken.filter((one) => detector.explain(one.row)[0]!.column === columns[one.column]).length
  console.log(
    `of ${broken.length} machines that are out of order, the wrong column is named first for ${named}`,
  )

  const folder = fileURLToPath(new URL('output/', import.meta.url))
  await mkdir(folder, { recursive: true })
  await detector.save(`${folder}machines.safetensors`)
  const loaded = await loadModel(`${folder}machines.safetensors`)
  claim(
    'a loaded detector answers as the saved one',
    loaded.kind === 'AnomalyDetector' && loaded.scoreSync(row) === score,
  )

  const worn = Array.from({ length: 1000 }, () => measured(12))
  const { drift } = await detector.update(worn)
  console.log(
    `\nafter a year: population stability index ${drift.stabilityIndex.toFixed(2)}, ` +
      `${(100 * drift.aboveThreshold).toFixed(0)}% of the machines above the threshold; learned on`,
  )
  const still = (await detector.predict(worn)).isAnomaly.reduce((sum, one) => sum + one, 0)

  claim('anomalies stand out', area > 0.95)
  claim('the wrong column is named first', named >= 190)
  claim('wear shows as drift', drift.stabilityIndex > 0.25)
  claim('a detector that has learned on finds worn machines normal', still < 100)
}

function claim(statement: string, holds: boolean): void {
  if (!holds) throw new Error(`not so: ${statement}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main()

// Rows that are never in memory together: sensors of a machine, read hour by hour, of which a few readings are wrong. They are written to a
// dataset while they come, an autoencoder is trained on the files, the codes go to a second dataset, and the worst rows are found in
// one more pass. Another hour, which nobody has written down, is then watched as it comes.
//
//   npm run examples -- rows-in-files [HOURS]        default 50, a few seconds; 10,000 hours are 36 million rows, 0.9 GB
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { SparseAutoencoder, writeDataset } from '../lib/index.js'

const SENSORS = 12
const ROWS_AN_HOUR = 3600
/** One reading in so many hours is wrong. */
const WRONG_EVERY = 10

/** The readings of one hour: all sensors follow the load of the machine, each in its own way. */
export function hourOf(hour: number): Float32Array {
  const readings = new Float32Array(ROWS_AN_HOUR * SENSORS)
  for (let second = 0; second < ROWS_AN_HOUR; second++) {
    const load = 0.5 + 0.3 * Math.sin((hour * ROWS_AN_HOUR + second) / 900) + 0.1 * Math.sin(second / 7)
    for (let j = 0; j < SENSORS; j++) {
      const share = j % 2 === 0 ? load : 1 - load
      readings[second * SENSORS + j] = share ** (1 + j / SENSORS)
    }
  }
  if (hour % WRONG_EVERY === 0) readings[wrongSecond(hour) * SENSORS + 3] = hour % 20 === 0 ? 0 : 1
  return readings
}

/** When the wrong reading of an hour comes. */
const wrongSecond = (hour: number) => (hour * 977) % ROWS_AN_HOUR

/** The numbers of all rows with a wrong reading. */
export function wrongRows(hours: number): number[] {
  const wrong = Array.from({ length: hours }, (_, hour) => hour).filter((hour) => hour % WRONG_EVERY === 0)
  return wrong.map((hour) => hour * ROWS_AN_HOUR + wrongSecond(hour))
}

function* readings(hours: number): Generator<Float32Array> {
  for (let hour = 0; hour < hours; hour++) yield hourOf(hour)
}

/** Returns the numbers of the worst rows, as many as there are wrong ones. */
export async function main(hours: number): Promise<number[]> {
  const folder = await mkdtemp(join(tmpdir(), 'layerwise-example-'))
  try {
    const columns = Array.from({ length: SENSORS }, (_, j) => `sensor ${j}`)
    // A value takes two bytes, a step of 1/65535.
    const form = { columns, type: 'uint16', scale: 1 / 65535 } as const
    const rows = await writeDataset(join(folder, 'readings'), readings(hours), form)
    console.log(
      `${rows.rows} rows of ${rows.cols} sensors in ${rows.segments.length} file(s), as ${rows.type}`,
    )

    const model = new SparseAutoencoder({ inputs: SENSORS, hidden: 3, outputActivation: 'sigmoid' })
    const { epochs } = await model.fit(rows, { epochs: 3, batchSize: 64, learningRate: 0.01 })
    console.log(
      `cost ${epochs[0]!.cost.total.toFixed(5)} after an epoch, ${epochs.at(-1)!.cost.total.toFixed(5)} in the end`,
    )

    const codes = await model.encode(rows, { to: join(folder, 'codes') })
    console.log(`codes: ${codes.rows} × ${codes.cols}, from ${codes.paths[0]}`)

    const wrong = wrongRows(hours)
    const worst = await model.reconstructionError(rows, { largest: wrong.length })
    console.log(`the ${wrong.length} worst rows, and those with a wrong reading:`)
    for (const [k, row] of worst.rows.entries()) {
      const isWrong = wrong.includes(row) ? 'wrong' : 'right'
      console.log(`  row ${String(row).padStart(8)}   error ${worst.errors[k]!.toFixed(4)}   ${isWrong}`)
    }

    const most = worst.errors.at(-1)!
    for await (const { errors } of model.reconstructionErrorBatches(new Set([hourOf(hours)]))) {
      const alarms = [...errors.keys()].filter((second) => errors[second]! >= most)
      console.log(
        `hour ${hours}, as it comes: ${alarms.length} alarm(s)${alarms.map((at) => `, at second ${at}`).join('')}`,
      )
    }
    return [...worst.rows]
  } finally {
    await rm(folder, { recursive: true })
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const hours = Number(process.argv[2] ?? 50)
  const found = await main(hours)
  const missed = wrongRows(hours).filter((row) => !found.includes(row))
  if (missed.length > 0) throw new Error(`rows with a wrong reading are not among the worst: ${missed}`)
}

// From a CSV file to scores: numbers, categories, dates and holes are encoded, an autoencoder learns what is usual, and each row gets a score and the
// column that is most to blame for it. The file is made here: orders of a shop, of which a few have a price that does not go with their colour and weight.
//
//   npm run examples -- table
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTable, rocAuc, StackedAutoencoder, TableEncoder } from '../lib/index.js'

const ROWS = 4000
const ODD = 40

const COLORS = ['red', 'green', 'blue'] as const

/** Prices follow weight and colour, but for the odd orders; some weights are missing. */
function orders(): { csv: string; odd: Uint8Array } {
  let state = 7
  const random = () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return state / 2 ** 32
  }
  const odd = new Uint8Array(ROWS)
  for (let k = 0; k < ODD; k++) odd[Math.floor((k + 0.5) * (ROWS / ODD))] = 1
  const lines = ['sold,color,weight,price,express,currency']
  for (let i = 0; i < ROWS; i++) {
    const color = Math.floor(random() * COLORS.length)
    const weight = 1 + random() * 9
    const express = random() < 0.3
    const usual = weight * (1 + color) + (express ? 5 : 0) + random()
    const price = odd[i] === 1 ? usual * (random() < 0.5 ? 0.3 : 2.5) : usual
    const sold = new Date(Date.UTC(2024, 0, 1) + i * 7_200_000).toISOString()
    const written = random() < 0.03 ? '' : weight.toFixed(2)
    lines.push([sold, COLORS[color], written, price.toFixed(2), express, 'EUR'].join(','))
  }
  return { csv: `${lines.join('\n')}\n`, odd }
}

const folder = await mkdtemp(join(tmpdir(), 'layerwise-example-'))
try {
  const path = join(folder, 'orders.csv')
  const { csv, odd } = orders()
  await writeFile(path, csv)

  const encoder = await new TableEncoder({ columns: { sold: 'drop' } }).fit(readTable(path))
  console.log(`encoded columns: ${encoder.columns.map(({ name }) => name).join(', ')}`)
  for (const { column, reason } of encoder.dropped) console.log(`left out: ${column} (${reason})`)
  const rows = await encoder.transform(readTable(path, { types: encoder.types }))

  const inputs = encoder.width
  const model = new StackedAutoencoder({
    inputs,
    layers: [
      { hidden: 32, activation: 'relu', outputActivation: 'identity' },
      { hidden: 4, activation: 'identity', outputActivation: 'relu' },
    ],
  })
  await model.fit(rows, { epochs: 10, batchSize: 32 })
  await model.fineTune(rows, { epochs: 20, batchSize: 32 })
  const scores = await model.reconstructionError(rows)
  console.log(`area under the ROC curve: ${rocAuc(scores, odd).toFixed(3)}`)

  const order = [...scores.keys()].sort((a, b) => scores[b]! - scores[a]!)
  const perFeature = await model.reconstructionErrorPerFeature(rows)
  const rebuilt = await model.reconstruct(rows)
  for (const row of order.slice(0, 5)) {
    const errorOf = (from: number, to: number) => {
      let sum = 0
      for (let j = from; j < to; j++) sum += perFeature.at(row, j)
      return sum
    }
    const worst = encoder.groups.reduce((a, b) => (errorOf(b.from, b.to) > errorOf(a.from, a.to) ? b : a))
    const valueIn = (codes: ArrayLike<number>) =>
      encoder.inverseTransformSync(codes).find(({ column }) => column === worst.column)?.value
    const [value, expected] = [valueIn(rows.row(row).data), valueIn(rebuilt.row(row).data)]
    console.log(`row ${row}: ${worst.column} is ${shown(value)}, expected about ${shown(expected)}`)
  }
} finally {
  await rm(folder, { recursive: true })
}

function shown(value: unknown): string {
  return typeof value === 'number' ? value.toFixed(2) : String(value)
}

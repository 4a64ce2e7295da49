import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readTable, TableEncoder, writeDataset } from '../lib/index.js'
import { temporaryFolder } from './temporary-folder.js'

const folder = temporaryFolder()

test('an encoded table is written as a dataset, with the names of its columns', async () => {
  const rows = Array.from({ length: 9000 }, (_, i) => ({ n: Math.sin(i), c: ['red', 'green', null][i % 3] }))
  const encoder = await new TableEncoder().fit(readTable(rows))
  const columns = encoder.columns.map(({ name }) => name)
  const dataset = await writeDataset(join(folder, 'rows'), encoder.transformBatches(readTable(rows)), {
    columns,
  })
  try {
    expect([dataset.rows, dataset.cols, dataset.columns]).toEqual([9000, encoder.width, columns])
    expect((await dataset.read(0, 9000)).data).toEqual((await encoder.transform(readTable(rows))).data)
  } finally {
    await dataset.close()
  }
})

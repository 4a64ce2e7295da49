import { utimesSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Dataset, SparseAutoencoder, writeDataset } from '../lib/index.js'
import { rejection, sampleRows } from './sample.js'
import { temporaryFolder } from './temporary-folder.js'

const root = temporaryFolder()
const rows = sampleRows(50, 4)

/** As a host opens it that knows times in milliseconds only. */
function inMilliseconds(dataset: Dataset): Dataset {
  const segments = dataset.segments.map(({ identity, ...segment }) => {
    return { ...segment, identity: identity.replace(/\d{6}$/, '000000') }
  })
  return Dataset.from({ ...structuredClone(dataset), segments })
}

test('files are known again where times are known in milliseconds only, and changes of them seen', async () => {
  const dataset = inMilliseconds(await writeDataset(join(root, 'rows'), [rows]))
  const [file] = dataset.segments.map(({ path }) => path)
  const uses = {
    fit: () => new SparseAutoencoder({ inputs: 4, hidden: 2 }).fit(dataset, { epochs: 1 }),
    read: () => dataset.read(0),
  }
  for (const use of Object.values(uses)) await use()
  utimesSync(file!, new Date(), new Date(1e12))
  for (const use of Object.values(uses)) expect(await rejection(use())).toMatchObject({ code: 'ERR_FILE' })
})

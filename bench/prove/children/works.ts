/**
 * A worker thread that does one thing again and again until it is terminated; it says when it has begun.
 *
 * workerData: { kind, folder }
 */
import { join } from 'node:path'
import { parentPort, workerData } from 'node:worker_threads'
import { openDataset, resumeTraining, SparseAutoencoder, writeDataset } from '../../../lib/index.js'
import { trainedModel, trainingRows } from '../trained.js'

const { kind, folder } = workerData as { kind: string; folder: string }
const x = trainingRows()
const options = { inputs: x.cols, hidden: 50 }
const model = new SparseAutoencoder(options)
const dataset = await openDataset(join(folder, 'data'))

/** What a worker does, over and over. */
const works: Record<string, () => Promise<unknown>> = {
  fit: () => model.fit(x, { epochs: 50 }),
  'full batches': () => model.fit(x, { optimizer: { kind: 'lbfgs', maxIterations: 50 } }),
  'fit from files': () => model.fit(dataset, { epochs: 5 }),
  encode: () => model.encode(x),
  read: () => dataset.read(0),
  verify: () => dataset.verify(),
  writeDataset: () => writeDataset(join(folder, 'written'), [x, x]),
  checkpoints: () =>
    trainedModel().fit(x, { epochs: 50, checkpoint: { path: join(folder, 'run'), everySeconds: 0 } }),
  save: () => model.save(join(folder, 'model')),
  resume: () => resumeTraining(join(folder, 'finished'), x),
}

const work = works[kind]!
parentPort!.postMessage('begins')
for (;;) {
  await work().catch((error: unknown) => {
    // The checkpoint of the worker before is not finished, and is not replaced.
    if ((error as { code?: string }).code !== 'ERR_STATE') throw error
    return resumeTraining(join(folder, 'run'), x)
  })
}

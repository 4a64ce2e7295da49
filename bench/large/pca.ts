import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Dataset } from '../../lib/index.js'
import { ratios, summary } from '../measuring/statistics.js'
import type { JobResult } from '../peers/figures.js'
import { installed } from '../peers/folder.js'
import { Peer } from '../peers/peer.js'
import { rounds } from '../peers/rounds.js'
import { JobFolder } from './job.js'
import type { Effort } from './measure.js'
import type { LargeTable } from './tables.js'

/** The first rows of a table: IncrementalPCA takes minutes for more. */
const MOST_ROWS = 200_000
const COMPONENTS = 20
const ROUNDS = 3
/** Relative. IncrementalPCA keeps only the components after each batch, so its variances are approximate. */
const NEAR = 0.1

interface Fit {
  readonly seconds: number
  readonly variances: readonly number[]
}

/** `Pca.fit` on a data set beside scikit-learn's IncrementalPCA on the same files. */
export async function measurePca(
  table: LargeTable,
  { dataset, path }: { readonly dataset: Dataset; readonly path: string },
  { threads, quick }: Effort,
): Promise<JobResult> {
  const rows = Math.min(dataset.rows, MOST_ROWS)
  const components = Math.min(COMPONENTS, Math.floor(table.cols / 2))
  const folder = new JobFolder(dataset, path, table, rows, table.shapes[0]!)
  const side = (name: string) => fileURLToPath(new URL(name, import.meta.url))
  const tsx = fileURLToPath(new URL('../../node_modules/tsx/dist/cli.mjs', import.meta.url))
  const peers: Peer[] = []
  try {
    const own = await Peer.start([process.execPath, tsx, side('./side.ts'), folder.path, 'disk'], threads)
    peers.push(own.peer)
    const python = join(installed, 'venv', 'bin', 'python')
    const other = await Peer.start([python, side('./sklearn_pca.py'), folder.path], threads)
    peers.push(other.peer)
    const found = (peer: Peer) => peer.ask<Fit>('pca', { rows, components })
    const apart = distance((await found(own.peer)).variances, (await found(other.peer)).variances)
    if (!(apart <= NEAR)) throw new Error(`scikit-learn finds variances that are ${apart} apart from ours`)
    const rate = async (peer: Peer) => rows / (await found(peer)).seconds
    const { values, repeated } = await rounds(
      { own: () => rate(own.peer), sklearn: () => rate(other.peer) },
      quick ? 1 : ROUNDS,
      quick ? () => undefined : undefined,
    )
    const job = `${table.name} pca`
    return {
      job,
      title: `${components} components of the first ${rows.toLocaleString('en')} rows of ${table.name}`,
      proof: [`scikit-learn: the largest variance ${apart.toExponential(1)} apart`],
      peers: { 'scikit-learn': other.versions },
      rounds: values.own.length,
      repeated,
      windowSeconds: 0,
      figures: [
        { label: 'Pca.fit from disk', unit: 'samples/s', values: summary(values.own) },
        { label: 'IncrementalPCA', unit: 'samples/s', values: summary(values.sklearn) },
        {
          label: 'Pca.fit over IncrementalPCA',
          unit: 'ratio',
          values: summary(ratios(values.own, values.sklearn)),
        },
      ],
    }
  } finally {
    for (const peer of peers) peer.close()
    folder.remove()
  }
}

/** Of the largest variance, relative. */
function distance([ours = 0]: readonly number[], [theirs = 0]: readonly number[]): number {
  return Math.abs(theirs - ours) / ours
}

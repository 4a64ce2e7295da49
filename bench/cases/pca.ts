import { type Matrix, Pca } from '../../lib/index.js'
import { tolerances } from '../../test/tolerances.js'
import { digits, type Storage } from '../measuring/data.js'
import { ratios, type Summary, summary } from '../measuring/statistics.js'
import { type Effort, pcaCase } from './cases.js'
import { type Peer, startPeers } from './pca-peers.js'
import { ROUNDS } from './training.js'

/** `Pca.fit` of all components, and the same by other packages in the same rounds. */
export interface PcaResult {
  readonly kind: 'pca'
  readonly data: {
    readonly source: string
    readonly storage: Storage
    readonly rows: number
    readonly columns: number
  }
  readonly threads: number
  readonly rounds: number
  /** How far the mean error with some components is from the variance left out, relative to the whole. */
  readonly verified: number
  readonly seconds: Summary
  /** Empty without a Python that has numpy. */
  readonly peers: readonly (Peer & {
    readonly seconds: Summary
    /** Its time over ours, round by round. */
    readonly times: Summary
    /** The largest distance of its variances from ours, relative to the largest. */
    readonly distance: number
  })[]
}

/** Rounds until the time is over, at least one; every second one in reverse order. */
export async function measurePca(storage: Storage, { seconds, threads }: Effort): Promise<PcaResult> {
  const { source, matrix } = await digits(storage)
  const verified = await verify(matrix, threads)
  const python = await startPeers(matrix, threads)
  const peers = (python?.peers ?? []).map((peer) => ({ ...peer, taken: [] as number[], distance: 0 }))
  const taken: number[] = []
  let variances: readonly number[] = []
  const own = async () => {
    const start = performance.now()
    const pca = await new Pca().fit(matrix, { threads })
    taken.push((performance.now() - start) / 1000)
    variances = [...pca.explainedVariance.subarray(0, 10)]
  }
  try {
    const end = performance.now() + 1000 * seconds
    for (let round = 0; round < ROUNDS && (round === 0 || performance.now() < end); round++) {
      const turns = [
        own,
        ...peers.map((peer) => async () => {
          const fit = await python!.fit(peer.name)
          peer.taken.push(fit.seconds)
          if (variances.length > 0)
            peer.distance = Math.max(peer.distance, distanceOf(fit.variances, variances))
        }),
      ]
      for (const turn of round % 2 === 0 ? turns : turns.toReversed()) await turn()
    }
  } finally {
    python?.close()
  }
  const refused = peers.find(({ distance }) => !(distance <= tolerances.eigenJacobi.value))
  if (refused) throw new Error(`the variances are ${refused.distance} from those of ${refused.name}`)
  return {
    kind: 'pca',
    data: { source, storage, rows: matrix.rows, columns: matrix.cols },
    threads,
    rounds: taken.length,
    verified,
    seconds: summary(taken, 'less'),
    peers: peers.map(({ name, version, taken: theirs, distance }) => {
      return {
        name,
        version,
        distance,
        seconds: summary(theirs, 'less'),
        times: summary(ratios(theirs, taken)),
      }
    }),
  }
}

/** On the rows it was fitted to, the mean error is the sum of the variances left out. */
async function verify(rows: Matrix, threads: number): Promise<number> {
  const { components } = pcaCase
  const pca = await new Pca({ components, precision: 'float64' }).fit(rows, { threads })
  const errors = await pca.reconstructionError(rows, { threads })
  const error = errors.reduce((sum, one) => sum + one, 0) / rows.rows
  const left = pca.explainedVariance.reduce((rest, variance) => rest - variance, pca.totalVariance)
  const distance = Math.abs(error - left) / pca.totalVariance
  if (!(distance <= tolerances.eigenJacobi.value))
    throw new Error(`the error is ${error}, the variance left out ${left}`)
  return distance
}

function distanceOf(a: readonly number[], b: readonly number[]): number {
  return Math.max(...a.map((value, i) => Math.abs(value - b[i]!))) / b[0]!
}

import { rocAuc } from '../../lib/index.js'
import { keyOf, type Protocol, protocols, type Reference, type Table, type Task } from './tables.js'

const NEIGHBOURS = 5
/** The reference has four digits. */
const TOLERANCE = 1e-4
/** Larger tables take minutes. */
const MOST_ROWS = 4000

/**
 * The distance of each row to its fifth neighbour, after standardising by the training rows, needs no random numbers: its area under the ROC curve
 * must be that of `pyod-knn` in the reference, if splits, labels and means over seeds are the same.
 */
export function checkProtocol(tables: readonly Table[], reference: Reference): string {
  const expected = reference.get('pyod-knn')
  if (expected === undefined) throw new Error('reference.csv has no pyod-knn')
  const lines = tables.flatMap((table) =>
    protocols.flatMap((protocol: Protocol) => {
      const tasks = Array.from({ length: protocol === 'oneclass' ? table.seeds : 1 }, (_, seed) =>
        table.task(protocol, seed),
      )
      if (tasks[0]!.training.rows > MOST_ROWS) return []
      const own =
        tasks.reduce(
          (sum, task) => sum + rocAuc(distances(task, protocol === 'unsupervised'), task.labels),
          0,
        ) / tasks.length
      const theirs = expected.get(keyOf(protocol, table.name))!.auroc
      const verdict = Math.abs(own - theirs) <= TOLERANCE ? 'the same' : 'DIFFERENT'
      return [
        `${protocol.padEnd(13)} ${table.name.padEnd(18)} ${own.toFixed(4)} ${theirs.toFixed(4)} ${verdict}`,
      ]
    }),
  )
  return ['AUROC of the distance to the fifth neighbour: here, in reference.csv', ...lines].join('\n')
}

function distances({ training, scored }: Task, isSame: boolean): Float64Array {
  const [x, y] = standardised(training, scored)
  const width = training.cols
  const answer = new Float64Array(scored.rows)
  for (let i = 0; i < scored.rows; i++) {
    const nearest = new Float64Array(NEIGHBOURS).fill(Infinity)
    for (let k = 0; k < training.rows; k++) {
      if (isSame && k === i) continue
      let sum = 0
      for (let j = 0; j < width && sum < nearest[NEIGHBOURS - 1]!; j++)
        sum += (x[k * width + j]! - y[i * width + j]!) ** 2
      for (let place = NEIGHBOURS - 1; place >= 0 && sum < nearest[place]!; place--) {
        if (place < NEIGHBOURS - 1) nearest[place + 1] = nearest[place]!
        nearest[place] = sum
      }
    }
    answer[i] = nearest[NEIGHBOURS - 1]!
  }
  return answer
}

function standardised(training: Task['training'], scored: Task['scored']): [Float64Array, Float64Array] {
  const width = training.cols
  const of = (matrix: Task['training']) => Float64Array.from(matrix.data, (value) => value * matrix.scale)
  const [x, y] = [of(training), of(scored)]
  for (let j = 0; j < width; j++) {
    let [sum, squares] = [0, 0]
    for (let k = j; k < x.length; k += width) sum += x[k]!
    const mean = sum / training.rows
    for (let k = j; k < x.length; k += width) squares += (x[k]! - mean) ** 2
    const spread = Math.sqrt(squares / training.rows) || 1
    for (const values of [x, y])
      for (let k = j; k < values.length; k += width) values[k] = (values[k]! - mean) / spread
  }
  return [x, y]
}

import { LayerwiseError } from '../base/errors.js'
import { allocateUnset, type PlainFloat64Array } from '../base/precision.js'
import type { Rows } from '../data/rows.js'
import { rowSlices } from '../data/slices.js'
import type { RunOptions } from '../native/run-options.js'
import type { ForwardTask } from './forward.js'
import { forwardParts, type Part } from './forward-parts.js'

/** The 2-norm of each row of outputs, part by part. */
export async function* rowNorms(
  task: ForwardTask<'float64'>,
  x: Rows,
  run: RunOptions,
): AsyncGenerator<Part<PlainFloat64Array>, void> {
  const { argument, outputs } = task
  for await (const part of forwardParts(task, x, run, 'outputs')) {
    const norms = allocateUnset('float64', part.rows, 'distances')
    for await (const [from, to] of rowSlices(part.rows, outputs)) {
      run.signal?.throwIfAborted()
      for (let i = from; i < to; i++) {
        let sum = 0
        for (let k = i * outputs; k < (i + 1) * outputs; k++) sum += part.answers[k]! ** 2
        if (!Number.isFinite(sum)) throw overflowError(argument, part.from + i)
        norms[i] = Math.sqrt(sum)
      }
    }
    yield { ...part, answers: norms }
  }
}

function overflowError(argument: string, row: number): LayerwiseError {
  const expected = 'rows whose distance can be computed'
  return new LayerwiseError(
    'ERR_RANGE',
    `${argument}: expected ${expected}, received one that overflows: row ${row}`,
    { argument, expected, row },
  )
}

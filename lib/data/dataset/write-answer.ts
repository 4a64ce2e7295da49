import { LayerwiseError } from '../../base/errors.js'
import { asDataset, type Dataset, fromDataset } from '../dataset.js'
import type { Matrix } from '../matrix.js'
import { type WriteDatasetOptions, writeDataset } from './write-dataset.js'

/**
 * Writes an answer that has a row for each row of `x`, part by part, to a folder that an option names.
 *
 * @param x - the rows that parts are computed of: a folder that holds them is refused
 * @param name - the option, for messages
 * @throws {@link LayerwiseError} as writeDataset, about that option; whatever the parts throw
 */
export async function writeAnswer(
  to: string | URL,
  x: unknown,
  parts: AsyncIterable<Matrix>,
  options: WriteDatasetOptions,
  name = 'to',
): Promise<Dataset> {
  let computing: Promise<void> | undefined
  const batches = {
    async *[Symbol.asyncIterator]() {
      let end = () => {}
      computing = new Promise((resolve) => {
        end = resolve
      })
      try {
        yield* parts
      } finally {
        end()
      }
    },
  }
  const source = asDataset('x', x)
  try {
    return await writeDataset(to, source ? fromDataset(source, batches) : batches, options)
  } catch (error) {
    throw error instanceof LayerwiseError && error.details.argument === 'folder'
      ? aboutOption(error, name)
      : error
  } finally {
    // After an abort writing ends at once; the caller's rows are read until this.
    await computing
  }
}

/** An error about the argument of writeDataset as one about ours. */
function aboutOption({ code, message, details, cause }: LayerwiseError, name: string): LayerwiseError {
  const about = message.replace(/^folder:/, `${name}:`)
  return new LayerwiseError(code, about, { ...details, argument: name }, cause)
}

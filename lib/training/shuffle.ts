import { argumentError } from '../base/check.js'
import type { JobRequest, NativeRows } from '../native/binding.js'
import type { FitSettings } from './options.js'

/**
 * What the option `shuffle` means for these rows.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT` for a shuffle of single rows of files
 */
export function shuffleOf({ shuffle }: FitSettings, { files }: NativeRows): JobRequest['shuffle'] {
  if (shuffle === false) return 'none'
  if (files === undefined) return shuffle === true ? 'rows' : shuffle
  if (shuffle !== 'rows') return 'blocks'
  const expected =
    "true, false or 'blocks' for rows of files, whose single rows are slow to read (of a file that fits memory: read it into a Matrix)"
  throw argumentError('shuffle', expected, shuffle)
}

/** Whether a fraction for validation is held out as blocks of neighbours. */
export function holdsOutBlocks({ shuffle }: FitSettings, { files }: NativeRows): boolean {
  return files !== undefined || shuffle === 'blocks'
}

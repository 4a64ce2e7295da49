import { checkFunction, checkNumber, ownCopy } from '../base/check.js'
import type { DenseFittingRows } from '../data/rows.js'
import { checkRunOptions } from '../native/run-options.js'
import type { TableBatches } from '../tables/encoding/checked-batches.js'
import type { TableEncoder } from '../tables/encoding/table-encoder.js'
import type { AnomalyFitOptions } from './anomaly-options.js'
import type { LearnOptions } from './learn.js'
import { asTable, checkEncoder, encodedRows } from './table-rows.js'

/** Options whose rows for validation may be a table. */
export type GivenOptions = Omit<LearnOptions, 'validation'> & {
  readonly validation: DenseFittingRows | TableBatches | number
}

/** @throws {@link LayerwiseError} `ERR_ARGUMENT` for bad options of `fit` and `update` */
export function checkFitOptions(options: unknown, seed: number): GivenOptions {
  const given = checkRunOptions(options, ['validation', 'earlyStopping', 'onProgress'])
  const { validation = 0.2, earlyStopping, signal, threads } = given
  return {
    run: ownCopy({ ...(signal && { signal }), ...(threads !== undefined && { threads }) }),
    validation:
      typeof validation === 'number'
        ? checkNumber('validation', validation, { min: 0, max: 0.9 })
        : (validation as DenseFittingRows | TableBatches),
    earlyStopping: earlyStopping as AnomalyFitOptions['earlyStopping'],
    onProgress: checkFunction('onProgress', given.onProgress as AnomalyFitOptions['onProgress']),
    seed,
  }
}

/** The same with rows for validation that are encoded. */
export async function encodedOptions(
  given: GivenOptions,
  encoder: TableEncoder | undefined,
): Promise<LearnOptions> {
  const { validation } = given
  const table = asTable(validation)
  if (table === undefined) return { ...given, validation: validation as DenseFittingRows | number }
  const { rows } = await encodedRows(checkEncoder(encoder, validation), table)
  return { ...given, validation: rows }
}

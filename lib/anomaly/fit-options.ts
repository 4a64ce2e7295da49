import { tmpdir } from 'node:os'
import { checkFunction, checkNumber, ownCopy } from '../base/check.js'
import { absolutePath } from '../data/dataset/row-file.js'
import { checkPath } from '../data/read-file.js'
import { checkRunOptions, type RunOptions } from '../native/run-options.js'
import type { AnomalyFitOptions } from './anomaly-options.js'

/** Checked options of `fit` and `update`. */
export interface FitSettings extends Pick<AnomalyFitOptions, 'earlyStopping' | 'onProgress'> {
  readonly run: RunOptions
  /** A fraction, or rows as they were given. */
  readonly validation: unknown
  readonly seed: number
  /** For temporary files: an absolute path. */
  readonly folder: string
}

/** @throws {@link LayerwiseError} `ERR_ARGUMENT` for bad options of `fit` and `update` */
export function checkFitOptions(options: unknown, seed: number): FitSettings {
  const given = checkRunOptions(options, ['validation', 'earlyStopping', 'onProgress', 'folder'])
  const { validation = 0.2, earlyStopping, signal, threads, folder = tmpdir() } = given
  checkPath('folder', folder)
  return {
    run: ownCopy({ ...(signal && { signal }), ...(threads !== undefined && { threads }) }),
    validation:
      typeof validation === 'number'
        ? checkNumber('validation', validation, { min: 0, max: 0.9 })
        : validation,
    earlyStopping: earlyStopping as AnomalyFitOptions['earlyStopping'],
    onProgress: checkFunction('onProgress', given.onProgress as AnomalyFitOptions['onProgress']),
    seed,
    folder: absolutePath(folder as string | URL),
  }
}

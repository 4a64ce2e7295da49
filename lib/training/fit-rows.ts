import { argumentError, checkOptions } from '../base/check.js'
import { checkSeveralClasses } from '../data/labels.js'
import type { Rows } from '../data/rows.js'
import { snapshot } from '../data/snapshot.js'
import { type GivenRows, type ModelRowForm, type RowNames, takeRows } from '../data/take-rows.js'
import type { NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { checkRowValues } from '../objective/row-check.js'
import type { FitRows, NamedRows, TrainingRequest } from './request.js'
import { holdOut } from './split.js'

/** The rows to train on, and the rows to measure after each epoch. */
export interface SplitRows {
  readonly training: NativeRows
  readonly validation: NamedRows | undefined
}

/**
 * Reads the caller's training rows and the option `validation`: checks their form, and copies rows of up to 256 MiB.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_RANGE` for bad rows and labels, `ERR_STATE` for rows that were transferred,
 *   `ERR_MEMORY` if there is no room for copies
 */
export async function takeFitRows(
  given: GivenRows,
  validation: unknown,
  form: ModelRowForm,
  work: NativeWork,
): Promise<FitRows> {
  const between = () => work.throwIfAborted()
  const taken = async (one: GivenRows, names: RowNames): Promise<NamedRows> => {
    const rows = await takeRows(one, form, between, names)
    return { argument: names.x, rows: await snapshot(names.x, rows, between) }
  }
  const training = await taken(given, { x: 'x', labels: 'labels' })
  if (validation === undefined || typeof validation === 'number') return { training, validation }
  if (form.classes === undefined) {
    const names = { x: 'validation', labels: 'validation' }
    return { training, validation: await taken({ x: validation as Rows }, names) }
  }
  const names = { x: 'validation.x', labels: 'validation.labels' }
  return { training, validation: await taken(checkLabeledRows(validation), names) }
}

/**
 * Checks the values of the rows, and holds rows out for validation if a fraction is given. With early stopping and without validation rows
 * the training rows are measured.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE` for values that `rowCheck` refuses, and for labels that are all of one class; `ERR_SHAPE` for too
 *   few rows to hold some out
 */
export async function splitRows(request: TrainingRequest, work: NativeWork): Promise<SplitRows> {
  const { training, validation } = request.rows
  const { network, rowCheck, classes, seed, settings } = request
  const between = () => work.throwIfAborted()
  const given = typeof validation === 'number' ? undefined : validation
  if (rowCheck !== 'none') {
    for (const { argument, rows } of given ? [training, given] : [training]) {
      await checkRowValues(argument, rows, rowCheck, network, work)
    }
  }
  const { argument, rows } = training
  const parts =
    typeof validation === 'number'
      ? await holdOut(argument, rows, validation, seed, between)
      : { training: rows, validation: given?.rows ?? (settings.earlyStopping && rows) }
  if (classes !== undefined) await checkSeveralClasses(parts.training, classes, between)
  return {
    training: parts.training,
    validation: parts.validation && { argument: given?.argument ?? argument, rows: parts.validation },
  }
}

/** Validation rows with their labels; rows alone are refused, and the error says what is missing. */
function checkLabeledRows(validation: unknown): GivenRows {
  const { x, labels } = (validation ?? {}) as Partial<GivenRows>
  if (x === undefined && labels === undefined) {
    throw argumentError('validation', 'rows with their labels, { x, labels }, or a fraction of x', validation)
  }
  checkOptions('validation', validation, ['x', 'labels'])
  return validation as GivenRows
}

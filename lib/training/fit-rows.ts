import { argumentError, checkOptions } from '../base/check.js'
import { checkSeveralClasses } from '../data/labels.js'
import { asMatrix } from '../data/matrix.js'
import type { Rows } from '../data/rows.js'
import { snapshot } from '../data/snapshot.js'
import { type GivenRows, type ModelRowForm, namesWithin, type RowNames, takeRows } from '../data/take-rows.js'
import type { NativeRows } from '../native/binding.js'
import type { NativeWork } from '../native/call.js'
import { asRefused, checkedWhileRead, checkRowValues } from '../objective/row-check.js'
import type { FitRows, NamedRows } from './named-rows.js'
import type { FitSettings } from './options.js'
import type { TrainingRequest } from './request.js'
import { holdOut } from './split.js'

/** The rows to train on, and the rows to measure after each epoch. */
export interface SplitRows {
  readonly training: NativeRows
  readonly validation: NamedRows | undefined
}

/**
 * Reads the caller's training rows and the options `rowWeights` and `validation`: checks their form, and copies rows of up to 256 MiB. With
 * checkpoints these begin, and rows of an interrupted training must be the same.
 *
 * @throws {@link LayerwiseError} `ERR_ARGUMENT`, `ERR_SHAPE`, `ERR_RANGE` for bad rows, labels and weights, `ERR_STATE` for rows that were transferred,
 *   `ERR_MEMORY` if there is no room for copies; as {@link Checkpoints.begin}
 */
export async function takeFitRows(
  given: Omit<GivenRows, 'rowWeights'>,
  settings: Pick<FitSettings, 'validation' | 'rowWeights' | 'checkpoints'>,
  form: ModelRowForm,
  work: NativeWork,
): Promise<FitRows> {
  const rows = await takeGiven(given, settings, form, work)
  await settings.checkpoints?.begin(rows, work)
  return rows
}

async function takeGiven(
  given: Omit<GivenRows, 'rowWeights'>,
  { validation, rowWeights }: Pick<FitSettings, 'validation' | 'rowWeights'>,
  form: ModelRowForm,
  work: NativeWork,
): Promise<FitRows> {
  const between = () => work.throwIfAborted()
  const taken = async (one: GivenRows, names?: RowNames): Promise<NamedRows> => {
    const rows = await takeRows(one, form, between, names)
    const argument = names?.x ?? 'x'
    return { argument, rows: await snapshot(argument, rows, between) }
  }
  const training = await taken({ ...given, rowWeights })
  if (validation === undefined || typeof validation === 'number') return { training, validation }
  const names = namesWithin('validation')
  if (form.classes !== undefined) {
    return { training, validation: await taken(checkLabeledRows(validation), names) }
  }
  const rows = isRowsAlone(validation)
    ? await taken({ x: validation, rowWeights: undefined }, { ...names, x: 'validation' })
    : await taken(checkMembers(validation, ['x', 'rowWeights']), names)
  return { training, validation: rows }
}

/**
 * Checks the values of the rows, and holds rows out for validation if a fraction is given. With early stopping and without validation rows
 * the training rows are measured.
 *
 * Training rows of files are not read in advance: their reader refuses bad values before any step uses them, in words that
 * {@link refusalOf} finds. Rows to measure are read in advance, as each epoch will read them.
 *
 * @throws {@link LayerwiseError} `ERR_RANGE` for values that `rowCheck` refuses, for labels that are all of one class, and for weights that
 *   are all 0 in one part; `ERR_SHAPE` for too few rows to hold some out
 */
export async function splitRows(request: TrainingRequest, work: NativeWork): Promise<SplitRows> {
  const { training, validation } = request.rows
  const { network, rowCheck, classes, seed, settings } = request
  const between = () => work.throwIfAborted()
  const check = async (argument: string, rows: NativeRows): Promise<void> => {
    if (rowCheck !== 'none') await checkRowValues(argument, rows, rowCheck, network, work)
  }
  const { argument, rows } = training
  const given = typeof validation === 'number' ? undefined : validation
  if (rows.files === undefined) await check(argument, rows)
  if (given) await check(given.argument, given.rows)
  const held =
    typeof validation === 'number'
      ? await holdOut(argument, rows, validation, seed, settings, between)
      : undefined
  if (held?.validation.files) await check(argument, held.validation)
  const trained = held?.training ?? rows
  if (classes !== undefined) await checkSeveralClasses(trained, classes, between)
  const checked =
    trained.files && rowCheck !== 'none' ? checkedWhileRead(trained, rowCheck, network) : trained
  const measured = held?.validation ?? given?.rows ?? (settings.earlyStopping && checked)
  return {
    training: checked,
    validation: measured && { argument: given?.argument ?? argument, rows: measured },
  }
}

/** What a training fails with, if reading its rows refused a value: the error that a check in advance would have thrown. */
export function refusalOf(failure: unknown, { rows, rowCheck, network }: TrainingRequest): unknown {
  const check = rowCheck === 'none' ? 'finite' : rowCheck
  return asRefused(failure, rows.training.rows, check, network)
}

/** Validation rows with their labels; rows alone are refused, and the error says what is missing. */
function checkLabeledRows(validation: unknown): GivenRows {
  const { x, labels } = (validation ?? {}) as Partial<GivenRows>
  if (x === undefined && labels === undefined) {
    throw argumentError('validation', 'rows with their labels, { x, labels }, or a fraction of x', validation)
  }
  return checkMembers(validation, ['x', 'labels', 'rowWeights'])
}

function checkMembers(validation: unknown, known: readonly string[]): GivenRows {
  return checkOptions('validation', validation, known) as Partial<GivenRows> as GivenRows
}

/** Whether validation is rows, not an object of rows and their weights. What is neither is refused as rows are. */
function isRowsAlone(validation: unknown): validation is Rows {
  const isObject =
    validation !== null &&
    typeof validation === 'object' &&
    !Array.isArray(validation) &&
    !ArrayBuffer.isView(validation) &&
    asMatrix('validation', validation) === undefined
  return !isObject || !Object.hasOwn(validation, 'x')
}

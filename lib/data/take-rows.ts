import { ownCopy } from '../base/check.js'
import type { NativeRows } from '../native/binding.js'
import { type Classes, toLabels } from './labels.js'
import { type RowForm, type Rows, toRows } from './rows.js'
import type { Between } from './slices.js'

/** Rows for training or measuring, and the class of each row if the model has classes. */
export interface GivenRows {
  readonly x: Rows
  /** Not checked yet: {@link takeRows} does it. */
  readonly labels?: unknown
}

/** The form of a model's rows. */
export interface ModelRowForm extends RowForm {
  /** The classes of labels; undefined if rows have no labels. */
  readonly classes: Classes | undefined
}

/** The caller's names of {@link GivenRows}, for messages. */
export interface RowNames {
  readonly x: string
  readonly labels: string
}

/**
 * The caller's rows as native code reads them. {@link toRows} checks their form; labels are checked and copied if the model has classes.
 *
 * @param between - called between slices; what it throws ends the copying
 * @throws {@link LayerwiseError} as {@link toRows} and {@link toLabels}
 */
export async function takeRows(
  { x, labels }: GivenRows,
  form: ModelRowForm,
  between: Between,
  names: RowNames = { x: 'x', labels: 'labels' },
): Promise<NativeRows> {
  const rows = await toRows(names.x, x, form, between)
  if (form.classes === undefined) return rows
  return ownCopy({ ...rows, labels: await toLabels(names.labels, labels, rows.rows, form.classes, between) })
}

import { ownCopy } from '../base/check.js'
import type { NativeRows } from '../native/binding.js'
import { type Classes, toLabels } from './labels.js'
import { type RowForm, type Rows, toRows } from './rows.js'
import type { Between } from './slices.js'

/** What a caller hands over to learn from or to measure: rows, and the class of each where the model has classes. */
export interface GivenRows {
  readonly x: Rows
  /** Checked by {@link takeRows}. */
  readonly labels?: unknown
}

/** What the rows of a model become. */
export interface ModelRowForm extends RowForm {
  /** Rows come with labels of these classes; undefined where they have none. */
  readonly classes: Classes | undefined
}

/** What the caller knows the members of {@link GivenRows} as, for messages. */
export interface RowNames {
  readonly x: string
  readonly labels: string
}

/**
 * Rows as a model sees them, checked in form as {@link toRows} does it, with labels checked and copied where it has classes.
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

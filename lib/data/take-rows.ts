import { ownCopy } from '../base/check.js'
import type { NativeRows } from '../native/binding.js'
import { type Classes, toLabels } from './labels.js'
import { toRowWeights } from './row-weights.js'
import { type RowForm, type Rows, toRows } from './rows.js'
import type { Between } from './slices.js'

/** Rows for training or measuring, and the class of each row if the model has classes. */
export interface GivenRows {
  readonly x: Rows
  /** Not checked yet: {@link takeRows} does it. */
  readonly labels?: unknown
  /** Not checked yet; undefined: 1 each. */
  readonly rowWeights?: unknown
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
  readonly rowWeights: string
}

const NAMES: RowNames = { x: 'x', labels: 'labels', rowWeights: 'rowWeights' }

/**
 * The caller's rows as native code reads them. {@link toRows} checks their form; weights are checked and copied, and labels if the model has
 * classes.
 *
 * @param between - called between slices; what it throws ends the copying
 * @throws {@link LayerwiseError} as {@link toRows}, {@link toLabels} and {@link toRowWeights}
 */
export async function takeRows(
  { x, labels, rowWeights }: GivenRows,
  form: ModelRowForm,
  between: Between,
  names: RowNames = NAMES,
): Promise<NativeRows> {
  const { classes } = form
  const rows = await toRows(names.x, x, form, between)
  return ownCopy({
    ...rows,
    ...(classes !== undefined && {
      labels: await toLabels(names.labels, labels, rows.rows, classes, between),
    }),
    ...(rowWeights !== undefined && {
      weights: await toRowWeights(names.rowWeights, rowWeights, rows.rows, between),
    }),
  })
}

/** Names of the members of an option of rows, such as `validation`. */
export function namesWithin(place: string): RowNames {
  return { x: `${place}.x`, labels: `${place}.labels`, rowWeights: `${place}.rowWeights` }
}

import type { Dataset } from '../data/dataset.js'
import { Matrix } from '../data/matrix.js'

/** Rows to learn from: in memory, or in files where they are longer than that. */
export type LearningRows = Matrix | Dataset

/** Parts of rows of files are of a multiple of so many rows, and of about so many bytes. */
const [PART_ROWS, PART_BYTES] = [512, 2 ** 23]

/** Rows in memory whole, rows of files in parts, whose answers have the bits of the whole but perhaps for the last. */
export async function* partsOf(rows: LearningRows): AsyncGenerator<Matrix, void> {
  if (rows instanceof Matrix) return yield rows
  const partRows = PART_ROWS * Math.max(1, Math.floor(PART_BYTES / (PART_ROWS * rows.cols * 4)))
  for await (const { rows: part } of rows.batches(partRows)) yield part
}

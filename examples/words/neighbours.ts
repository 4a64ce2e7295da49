import { Matrix } from '../../lib/index.js'

/** The same rows with length 1, whose products are cosines. */
export function unitRows(rows: Matrix<Float32Array>): Matrix<Float32Array> {
  const { cols, data } = rows
  const unit = data.slice()
  for (let from = 0; from < unit.length; from += cols) {
    let squares = 0
    for (let j = 0; j < cols; j++) squares += unit[from + j]! ** 2
    const factor = squares > 0 ? 1 / Math.sqrt(squares) : 0
    for (let j = 0; j < cols; j++) unit[from + j]! *= factor
  }
  return Matrix.from(unit, rows.rows, cols)
}

/** The numbers of the `count` rows that are nearest to each of some rows by the cosine, without these themselves. All rows are compared. */
export function nearest(rows: Matrix<Float32Array>, queries: readonly number[], count: number): number[][] {
  const { data, cols } = unitRows(rows)
  return queries.map((query) => {
    const vector = data.slice(query * cols, (query + 1) * cols)
    const found: { row: number; cosine: number }[] = []
    for (let row = 0, at = 0; row < rows.rows; row++) {
      let cosine = 0
      for (let j = 0; j < cols; j++) cosine += vector[j]! * data[at++]!
      if (row === query || (found.length === count && cosine <= found.at(-1)!.cosine)) continue
      let place = found.length
      while (place > 0 && found[place - 1]!.cosine < cosine) place--
      found.splice(place, 0, { row, cosine })
      if (found.length > count) found.pop()
    }
    return found.map(({ row }) => row)
  })
}

/** The mean share of the wanted neighbours that were found. */
export function recall(wanted: readonly number[][], found: readonly number[][]): number {
  let hits = 0
  let all = 0
  for (const [i, rows] of wanted.entries()) {
    hits += rows.filter((row) => found[i]!.includes(row)).length
    all += rows.length
  }
  return hits / all
}

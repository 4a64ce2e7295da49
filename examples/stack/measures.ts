import { Matrix } from '../../lib/index.js'

/** The rows of `x`, each divided by its length; rows of zeros stay. */
export function atLength1(x: Matrix): Matrix<Float32Array> {
  const data = Float32Array.from(x.data, (stored) => stored * x.scale)
  for (let from = 0; from < data.length; from += x.cols) {
    const row = data.subarray(from, from + x.cols)
    const length = Math.hypot(...row)
    if (length > 0) row.set(row.map((value) => value / length))
  }
  return Matrix.from(data, x.rows, x.cols)
}

/** Mean over the rows of Σⱼ (yⱼ − xⱼ)². */
export function meanSquares(x: Matrix, y: Matrix): number {
  let sum = 0
  x.data.forEach((stored, k) => {
    sum += (stored * x.scale - y.data[k]! * y.scale) ** 2
  })
  return sum / x.rows
}

/** The mean row, as often as there are rows. */
export function meanRows(x: Matrix): Matrix<Float64Array> {
  const { rows, cols } = x
  const mean = new Float64Array(cols)
  x.data.forEach((stored, k) => {
    mean[k % cols]! += (stored * x.scale) / rows
  })
  return Matrix.from(
    Float64Array.from({ length: rows * cols }, (_, k) => mean[k % cols]!),
    rows,
    cols,
  )
}

/** The share of units that their own input excites more than any of the rows: row j of `own` against column j of `others`. */
export function shareMostExcited(own: Matrix, others: Matrix): number {
  let most = 0
  for (let j = 0; j < own.rows; j++) {
    const mine = own.at(j, j)
    let largest = -Infinity
    for (let i = 0; i < others.rows; i++) largest = Math.max(largest, others.at(i, j))
    if (mine >= largest) most++
  }
  return most / own.rows
}

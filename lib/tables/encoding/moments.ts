/**
 * Mean, variance and extremes of numbers that arrive in groups. Groups are joined by their means and sums of squared deviations, so that a large mean
 * cancels nothing.
 *
 * Source: Chan, Golub & LeVeque 1983, "Algorithms for computing the sample variance".
 */
export class Moments {
  count = 0
  mean = 0
  min = Infinity
  max = -Infinity
  #squares = 0

  /** Adds a group, in which NaN is nothing. */
  add(values: Float64Array): void {
    let [count, sum, min, max] = [0, 0, this.min, this.max]
    const pivot = this.count > 0 ? this.mean : firstOf(values)
    for (const value of values) {
      if (Number.isNaN(value)) continue
      count++
      sum += value - pivot
      if (value < min) min = value
      if (value > max) max = value
    }
    if (count === 0) return
    const mean = pivot + sum / count
    let [squares, rest] = [0, 0]
    for (const value of values) {
      if (Number.isNaN(value)) continue
      const deviation = value - mean
      squares += deviation * deviation
      rest += deviation
    }
    squares -= (rest * rest) / count
    const total = this.count + count
    const difference = mean + rest / count - this.mean
    this.#squares +=
      squares + (this.count === 0 ? 0 : difference * difference * ((this.count * count) / total))
    this.mean += this.count === 0 ? mean + rest / count - this.mean : (difference * count) / total
    this.count = total
    this.min = min
    this.max = max
  }

  /** Of all numbers: Σ(x − mean)² / count. */
  get deviation(): number {
    return Math.sqrt(Math.max(0, this.#squares) / this.count)
  }
}

function firstOf(values: Float64Array): number {
  for (const value of values) if (!Number.isNaN(value)) return value
  return 0
}

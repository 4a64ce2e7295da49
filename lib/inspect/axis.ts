/** The scale of an axis: linear (equal steps for equal differences) or logarithmic (for equal ratios). */
export type AxisScale = 'linear' | 'log'

/** One direction of a plot: the position of numbers, and the ticks. */
export interface Axis {
  readonly low: number
  readonly high: number
  readonly ticks: readonly number[]
  /** 0 at `low`, 1 at `high`. */
  position(value: number): number
}

/**
 * An axis over the numbers given.
 *
 * @param values - between −1e200 and 1e200, and above 1e-200 on a log axis
 * @param options - `scale`; `nice`: widen the axis to the next tick at both ends, else end with the values, with ticks at whole
 *   numbers if they are whole; `count`: about how many ticks
 */
export function axisOver(
  values: readonly number[],
  { scale, nice, count }: { scale: AxisScale; nice: boolean; count: number },
): Axis {
  let low = values.reduce((least, value) => Math.min(least, value), Infinity)
  let high = values.reduce((most, value) => Math.max(most, value), -Infinity)
  if (values.length === 0) [low, high] = scale === 'log' ? [1, 10] : [0, 1]
  const size = Math.max(Math.abs(low), Math.abs(high))
  if (high - low <= 1e-9 * size || size < 1e-200) [low, high] = widened(high, scale)

  const whole = !nice && values.every(Number.isInteger)
  const ticks =
    scale === 'log' ? logTicks(low, high, nice) : linearTicks(low, high, { count, whole, outside: nice })
  if (nice) [low, high] = [Math.min(low, ticks[0]!), Math.max(high, ticks.at(-1)!)]
  const along = scale === 'log' ? Math.log : (value: number) => value
  const [from, to] = [along(low), along(high)]
  return { low, high, ticks, position: (value) => (along(value) - from) / (to - from) }
}

/** An interval around a single number. */
function widened(value: number, scale: AxisScale): [number, number] {
  if (scale === 'log') return [value / 2, value * 2]
  const half = Math.abs(value) < 1e-200 ? 1 : Math.abs(value) / 2
  return [value - half, value + half]
}

/**
 * Multiples of 1, 2 or 5 times a power of ten; `whole`: of whole numbers only; `outside`: from the last one below `low` to the first one
 * above `high`.
 */
export function linearTicks(
  low: number,
  high: number,
  { count, whole, outside }: { count: number; whole: boolean; outside: boolean },
): number[] {
  const rough = (high - low) / count
  const power = 10 ** Math.floor(Math.log10(rough))
  const round = power * ([1, 2, 5].find((factor) => factor * power >= rough) ?? 10)
  const step = whole ? Math.max(1, round) : round
  const slack = 1e-9
  const first = outside ? Math.floor(low / step + slack) : Math.ceil(low / step - slack)
  const last = outside ? Math.ceil(high / step - slack) : Math.floor(high / step + slack)
  return Array.from({ length: last - first + 1 }, (_, i) => Number(((first + i) * step).toPrecision(12)))
}

/** Powers of ten, thinned if there are many; 1, 2 and 5 times powers of ten if there are few. */
export function logTicks(low: number, high: number, outside: boolean): number[] {
  const decades = Math.log10(high) - Math.log10(low)
  const every = Math.max(1, Math.ceil(decades / 8))
  const factors = decades < 3 ? [1, 2, 5] : [1]
  const all: number[] = []
  const last = Math.ceil(Math.log10(high)) + every
  for (let power = Math.floor(Math.log10(low)); power <= last; power += every) {
    for (const factor of factors) all.push(Number(`${factor}e${power}`))
  }
  const below = all.findLastIndex((tick) => tick <= low * (1 + 1e-9))
  const above = all.findIndex((tick) => tick >= high * (1 - 1e-9))
  const inside = all.filter((tick) => tick >= low * (1 - 1e-9) && tick <= high * (1 + 1e-9))
  return outside ? all.slice(below, above + 1) : inside
}

/** A number as short as it can be written: 0.05, 20000, 1e-7, 2e+6. */
export function tickLabel(value: number): string {
  const size = Math.abs(value)
  const plain = value === 0 || (size >= 1e-4 && size < 1e6)
  return plain ? String(value) : value.toExponential().replace('e+', 'e')
}

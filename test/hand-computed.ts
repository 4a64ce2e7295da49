import { expect } from 'vitest'
import { tolerances } from './tolerances.js'

/** Numbers that were computed by hand, or are known exactly. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>): void {
  expect(actual.length).toBe(expected.length)
  for (let p = 0; p < expected.length; p++) {
    expect(
      Math.abs(actual[p]! - expected[p]!),
      `entry ${p}: ${actual[p]} against ${expected[p]}`,
    ).toBeLessThan(tolerances.handComputed.value)
  }
}

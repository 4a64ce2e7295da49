import { describe, expect, test } from 'vitest'
import { longestTurnOf, PROMISED_CALLS } from '../bench/measuring/promised-calls.js'
import { longestTurn, ownTime } from '../bench/measuring/turns.js'

const ROWS = 400_000

/**
 * Much more than the 5 ms of a slice, for slow machines and garbage collection, and less than the 50 to 500 ms that many of these calls
 * would take without slices.
 */
const MOST_MS = 40

describe('the event loop is free while a call runs:', () => {
  test.each(Object.keys(PROMISED_CALLS))('%s', { timeout: 120_000 }, async (name) => {
    const first = await longestTurnOf(name, ROWS)
    // A collection may fall into one call, hardly into both.
    const longest = first.longest < MOST_MS ? first.longest : (await longestTurnOf(name, ROWS)).longest
    expect(longest).toBeLessThan(MOST_MS)
  })

  test('the check notices a call that blocks', async () => {
    let sum = 0
    const block = async () => {
      await new Promise(setImmediate)
      for (let i = 0; i < 4e8; i++) sum += i % 7
      await new Promise(setImmediate)
    }
    expect((await longestTurn(block)).longest).toBeGreaterThan(MOST_MS)
    expect(sum).toBeGreaterThan(0)
  })

  test('a collection of garbage that waits for other threads hides nothing of a turn, and one that computes is not counted', () => {
    const collection = { startTime: 12, duration: 6 }
    expect(ownTime({ start: 10, end: 20, ms: 3 }, [collection])).toBe(3)
    expect(ownTime({ start: 10, end: 20, ms: 9 }, [collection])).toBe(4)
    expect(ownTime({ start: 13, end: 17, ms: 4 }, [collection, collection])).toBe(0)
  })
})

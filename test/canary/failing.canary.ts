import { expect, test } from 'vitest'

test('a failing TypeScript test', () => {
  expect(1 + 1).toBe(3)
})

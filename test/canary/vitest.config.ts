import { defineConfig } from 'vitest/config'

/** Only the test that must fail: scripts/test.mjs runs it to prove that failures are seen and counted. */
export default defineConfig({ test: { include: ['test/canary/failing.canary.ts'] } })

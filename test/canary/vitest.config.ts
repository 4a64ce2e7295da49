import { defineConfig } from 'vitest/config'

/** Only the test that must fail: scripts/test.mjs runs it to check that failures are reported and counted. */
export default defineConfig({ test: { include: ['test/canary/failing.canary.ts'] } })

import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Builds the addon of the current sources, unless LAYERWISE_BINARY names one. The output of set-up goes to standard error. */
export function setUp(...flags: string[]): void {
  if (process.env.LAYERWISE_BINARY) return
  const script = fileURLToPath(new URL('../../scripts/setup.mjs', import.meta.url))
  const { status } = spawnSync(process.execPath, [script, ...flags], { stdio: ['ignore', 2, 2] })
  if (status !== 0) throw new Error('set-up failed')
}

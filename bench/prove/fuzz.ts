import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { endsWell, programOf, start } from './child.js'
import { inFolder } from './folder.js'
import { type Proof, Skipped } from './proof.js'
import { READERS } from './readers.js'

/** A file that is read for this long, in milliseconds, is never read to its end. */
const HANGS_MS = 60_000

/** The most old space of a child: of the files none needs a hundredth of it. */
const MEBIBYTES = 512

/** Files of the long run: a million in all. Checkpoints and folders take more files of the system each. */
const COUNTS: Readonly<Record<string, number>> = {
  ...{
    npy: 120_000,
    IDX: 120_000,
    safetensors: 100_000,
    'dataset.json': 60_000,
    shard: 60_000,
    model: 150_000,
  },
  ...{ detector: 50_000, checkpoint: 40_000, scaler: 80_000, CSV: 100_000, 'JSON lines': 70_000 },
  ...{ Arrow: 40_000, Parquet: 10_000 },
}

function isInstalled(name: string): boolean {
  try {
    createRequire(import.meta.url).resolve(name)
    return true
  } catch {
    return false
  }
}

function fuzzOf(name: string): Proof {
  return {
    name: `damaged ${name}`,
    promise:
      'it is read right, or refused with a fitting code; nothing crashes or hangs, or takes more than 256 MiB or 10 seconds',
    rounds: 'files',
    count: COUNTS[name]!,
    quick: 200,
    prove: ({ seed, from, count }) =>
      inFolder(async (folder) => {
        const { needs } = READERS[name]!
        if (needs !== undefined && !isInstalled(needs)) throw new Skipped(`${needs} is not installed`)
        const program = programOf('reads-damaged')
        const args = [name, folder, ...[seed, from, count].map(String)]
        const child = start(program, args, { node: [`--max-old-space-size=${MEBIBYTES}`] })
        const number = () => {
          try {
            return readFileSync(join(folder, 'number'), 'utf8').trim()
          } catch {
            return 'none'
          }
        }
        let last = { number: 'none', since: performance.now() }
        const watch = setInterval(() => {
          const now = number()
          if (now !== last.number) last = { number: now, since: performance.now() }
          else if (performance.now() - last.since > HANGS_MS) child.process.kill('SIGKILL')
        }, 500)
        const said = await endsWell(child)
          .catch((error: Error) => {
            throw new Error(`at file ${number()}: ${error.message}`, { cause: error })
          })
          .finally(() => clearInterval(watch))
        const { read, ...refused } = JSON.parse(said) as Record<string, number>
        const codes = Object.entries(refused).map(([code, times]) => `${times} ${code}`)
        return `${read} read, ${codes.join(', ')}`
      }),
  }
}

export const fuzzes: readonly Proof[] = Object.keys(READERS).map(fuzzOf)

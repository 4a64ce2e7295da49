import { join } from 'node:path'
import { programOf, start } from './child.js'
import { inFolder, MEMORY } from './folder.js'
import { told } from './outcome.js'
import { mustHave, type Proof } from './proof.js'
import { READERS } from './readers.js'
import { endsInTime, Progress } from './watch.js'

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
  ...{ detector: 50_000, checkpoint: 20_000, scaler: 50_000, encoder: 50_000, CSV: 100_000 },
  ...{ 'JSON lines': 50_000, training: 20_000 },
  ...{ Arrow: 40_000, Parquet: 10_000 },
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
        mustHave(needs)
        const program = programOf('reads-damaged')
        const args = [name, folder, ...[seed, from, count].map(String)]
        const child = start(program, args, { node: [`--max-old-space-size=${MEBIBYTES}`] })
        const said = await endsInTime(child, new Progress(join(folder, 'input')))
        return told(JSON.parse(said) as Record<string, number>)
      }, MEMORY),
  }
}

export const fuzzes: readonly Proof[] = Object.keys(READERS).map(fuzzOf)

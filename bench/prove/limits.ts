import { execFileSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { endsWell, has, programOf, start } from './child.js'
import { inFolder } from './folder.js'
import { type Proof, Skipped } from './proof.js'

/** Where the folder is in which a child writes. */
type Place = <T>(folder: string, work: (folder: string) => Promise<T>) => Promise<T>

/** A disk in memory, of a size that is filled quickly. */
const smallDisk: Place = async (folder, work) => {
  const disk = join(folder, 'disk')
  mkdirSync(disk)
  if (!has('mount', '-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', disk))
    throw new Skipped('this process may not mount a disk')
  try {
    return await work(disk)
  } finally {
    execFileSync('umount', [disk])
  }
}

const limited: Place = async (folder, work) => {
  if (!has('prlimit', '--version')) throw new Skipped('there is no prlimit')
  return work(folder)
}

const anywhere: Place = (folder, work) => work(folder)

function writesTo(kind: string, place: Place): Proof {
  return {
    name: `writes to ${kind}`,
    promise:
      "what does not fit or is not allowed is refused with ERR_FILE or ERR_ARGUMENT and the system's error as cause; what was there is whole, without litter, and the next try succeeds",
    rounds: 'operations',
    count: 500,
    quick: 10,
    prove: ({ seed, from, count }) =>
      inFolder((folder) =>
        place(folder, async (inside) => {
          const args = [kind, inside, ...[seed, from, count].map(String)]
          return endsWell(start(programOf('meets-limits'), args))
        }),
      ),
  }
}

export const limits: readonly Proof[] = [
  writesTo('a full disk', smallDisk),
  writesTo('a limit on files', limited),
  writesTo('a read-only folder', anywhere),
  writesTo('a folder that vanished', anywhere),
]

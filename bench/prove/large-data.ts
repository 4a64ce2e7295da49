import { endsWell, programOf, start } from './child.js'
import { inFolder } from './folder.js'
import { memoryGroup } from './memory-group.js'
import { must, type Proof } from './proof.js'

const GIB = 2 ** 30
const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(0)} MiB`

/** A file with holes in place of zeros: it takes no room on the disk, and is read as any other. */
const inAGibibyte: Proof = {
  name: 'memory of large data',
  promise:
    'rows of files are trained on and scored in at most 1 GiB of resident memory, however many there are',
  rounds: 'rows of 784 bytes',
  count: 40_000_000,
  quick: 1_000_000,
  prove: ({ count }) =>
    inFolder(async (folder) => {
      const group = memoryGroup(GIB)
      try {
        const child = start(programOf('trains-large'), ['memory', folder, String(count)], {
          through: group?.through ?? [],
        })
        const { resident } = JSON.parse(await endsWell(child)) as { resident: number }
        const within =
          group === undefined
            ? 'this process may make no control group'
            : `in a control group of 1 GiB, in which with the system's copies of the file ${mib(group.most())} were in use`
        const seen = `${mib(resident)} resident at most, ${within}`
        must(resident <= GIB, seen)
        return seen
      } finally {
        group?.remove()
      }
    }),
}

/** Of the engine, its heap and what it has not collected yet. */
const MOST_OF_A_TABLE = 2 ** 29

const aLongTable: Proof = {
  name: 'memory of a long table',
  promise:
    'a table is read, and an encoder fitted to it, in at most 512 MiB of resident memory, however long it is',
  rounds: 'rows of a stream',
  count: 10_000_000,
  quick: 300_000,
  prove: async ({ count }) => {
    const { resident } = JSON.parse(
      await endsWell(start(programOf('reads-long-table'), [String(count)])),
    ) as {
      resident: number
    }
    const seen = `${mib(resident)} resident at most`
    must(resident <= MOST_OF_A_TABLE, seen)
    return seen
  },
}

const aLateValue: Proof = {
  name: 'a bad value late in a file',
  promise: 'a NaN is named with file, row and column before any step uses it, however far down it is',
  rounds: 'rows before it',
  count: 40_000_000,
  quick: 1_000_000,
  prove: ({ count }) =>
    inFolder((folder) => endsWell(start(programOf('trains-large'), ['late', folder, String(count)]))),
}

export const largeData = [inAGibibyte, aLongTable, aLateValue]

import { freemem } from 'node:os'
import { endsWell, programOf, start } from './child.js'
import { inFolder } from './folder.js'
import { must, type Proof, Skipped } from './proof.js'

/** Bytes of memory for each parameter: of two trainings, of what is read from a file, and some to spare. */
const BYTES = 60

interface Said {
  readonly bytes: number
  readonly same: boolean
}

export const largeState: Proof = {
  name: 'a large state',
  promise: 'a checkpoint above 2 GiB is written and read like any other',
  rounds: 'parameters',
  count: 184_000_000,
  quick: 200_000,
  prove: ({ count }) =>
    inFolder(async (folder) => {
      if (freemem() < BYTES * count)
        throw new Skipped(`it takes ${((BYTES * count) / 1e9).toFixed(0)} GB of memory`)
      const said = await endsWell(start(programOf('resumes-large-state'), [folder, String(count)]))
      const { bytes, same } = JSON.parse(said) as Said
      const seen = `${(bytes / 1e6).toFixed(0)} MB in the file; resumed after an abort`
      must(same, `${seen}, it ended with other bits`)
      return `${seen}, it ended with the bits of a training that was not`
    }),
}

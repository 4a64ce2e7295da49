import { endsWell, programOf, start } from './child.js'
import { inFolder } from './folder.js'
import type { Proof } from './proof.js'

export const workers: Proof = {
  name: 'workers terminated',
  promise:
    'the process lives; what other threads compute is the same to the bit; locks are free; files are whole',
  rounds: 'terminations',
  count: 200,
  quick: 20,
  prove: ({ seed, from, count }) =>
    inFolder(async (folder) => {
      const args = [programOf('works'), folder, ...[seed, from, count].map(String)]
      return `amid ${await endsWell(start(programOf('terminates'), args))}`
    }),
}

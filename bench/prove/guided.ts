import { join } from 'node:path'
import { programOf, start } from './child.js'
import { countedProgram } from './counted.js'
import { inFolder, MEMORY } from './folder.js'
import { TARGETS } from './guided-targets.js'
import { told } from './outcome.js'
import { mustHave, type Proof } from './proof.js'
import { endsInTime, Progress } from './watch.js'

interface Said {
  readonly seen: Readonly<Record<string, number>>
  readonly atFirst: number
  readonly reached: number
  readonly kept: number
}

/** The program is made once for all readers. */
let program: string | undefined

function guidedOf(name: string): Proof {
  return {
    name: `guided ${name}`,
    promise: 'as of damaged files, of inputs that are changed again as long as they reach other code',
    rounds: 'inputs',
    count: 1_000_000,
    quick: 200,
    prove: ({ seed, from, count }) =>
      inFolder(async (folder) => {
        mustHave(TARGETS[name]!.needs)
        // The inputs of a round depend on those before it: a run that begins elsewhere is another run.
        const args = [name, folder, seed + from, count].map(String)
        program ??= countedProgram(programOf('guided'))
        const child = start(program, args)
        const said = await endsInTime(child, new Progress(join(folder, 'input')))
        const { seen, atFirst, reached, kept } = JSON.parse(said) as Said
        return `${told(seen)}; good files reach ${atFirst} branches, all ${reached}; ${kept} inputs kept`
      }, MEMORY),
  }
}

/** Readers whose inputs are chosen by the code that they reach. */
export const guided: readonly Proof[] = Object.keys(TARGETS).map(guidedOf)

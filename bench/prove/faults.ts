import { mkdirSync, writeFileSync } from 'node:fs'
import { constants } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endsWell, has, programOf, start } from './child.js'
import { inFolder } from './folder.js'
import { OPERATIONS } from './operations.js'
import { must, type Proof, Skipped } from './proof.js'

/** What a failing or full disk says. */
const ERRORS = ['EIO', 'ENOSPC'] as const

/** More calls than any of the operations makes. */
const MOST_CALLS = 500

interface Met {
  readonly failed: number
  readonly harmless: number
  readonly codes: readonly string[]
}

export const failingCalls: Proof = {
  name: 'calls that fail',
  promise:
    'whichever call of the system fails, with EIO or ENOSPC: the operation is done, or refused with ERR_FILE or ERR_ARGUMENT; then what was there before is whole, without litter, and the next try succeeds',
  rounds: 'operations × errors',
  count: 2 * Object.keys(OPERATIONS).length,
  quick: 2 * Object.keys(OPERATIONS).length,
  prove: ({ from, count }) =>
    inFolder(async (root) => {
      const shim = join(root, 'failing-files.so')
      const source = fileURLToPath(new URL('./children/failing-files.c', import.meta.url))
      if (process.platform !== 'linux' || !has('cc', '-shared', '-fPIC', '-O1', source, '-o', shim, '-ldl'))
        throw new Skipped('no C compiler for the shim that is preloaded, or no Linux')
      const program = programOf('meets-faults')
      const cases = Object.keys(OPERATIONS).flatMap((operation) =>
        ERRORS.map((error) => [operation, error] as const),
      )
      const seen = { failed: 0, harmless: 0 }
      const none: string[] = []
      for (const [k, [operation, error]] of cases.slice(from, from + count).entries()) {
        const folder = join(root, String(k))
        mkdirSync(folder)
        const control = join(root, `control-${k}`)
        writeFileSync(control, Buffer.concat([Buffer.from(Int32Array.of(-1).buffer), Buffer.alloc(4092)]))
        const preloaded = [process.env.LD_PRELOAD, shim].filter(Boolean).join(':')
        const env = { LD_PRELOAD: preloaded, FAILING_FOLDER: folder, FAILING_CONTROL: control }
        const args = [operation, folder, String(constants.errno[error]), '0', String(MOST_CALLS)]
        const { failed, harmless } = JSON.parse(await endsWell(start(program, args, { env }))) as Met
        must(failed < MOST_CALLS, `${operation} makes more than ${MOST_CALLS} calls`)
        if (failed === 0) none.push(operation)
        seen.failed += failed
        seen.harmless += harmless
      }
      must(none.length === 0, `no call could be made to fail in ${none}`)
      return `${seen.failed} calls failed, each alone; ${seen.harmless} of them did no harm`
    }),
}

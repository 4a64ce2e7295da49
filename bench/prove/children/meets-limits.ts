/**
 * Writes where the system refuses it:
 *
 *   node meets-limits.mjs KIND FOLDER SEED FIRST COUNT
 *
 * For 'a full disk', FOLDER is a small disk of its own. Says how many operations were refused.
 */
import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, readdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { LayerwiseError } from '../../../lib/index.js'
import { OPERATIONS } from '../operations.js'
import { must, randomOf } from '../proof.js'

const [kind, root, seed, first, count] = process.argv.slice(2) as [string, string, string, string, string]
const NOBODY = 65534

/** A signal's default ends the process; with a listener the write that is too long fails with EFBIG. */
process.on('SIGXFSZ', () => {})

/** Begins the condition in a folder; what it returns ends it. */
type Begin = (folder: string, share: number) => () => void

const limit = (bytes: number | 'unlimited') =>
  void execFileSync('prlimit', [`--pid=${process.pid}`, `--fsize=${bytes}:unlimited`])

const KINDS: Record<string, { begin: Begin; errors: readonly string[] }> = {
  'a full disk': {
    begin(_, share) {
      const { bavail, bsize } = statfsSync(root)
      const filler = join(root, 'filler')
      // A few pages stay free, or none.
      writeFileSync(filler, Buffer.alloc(Math.max(0, bavail - Math.floor(share * 12)) * bsize))
      return () => rmSync(filler)
    },
    errors: ['ENOSPC'],
  },
  'a limit on files': {
    begin(_, share) {
      limit(Math.floor(share * 5000))
      return () => limit('unlimited')
    },
    errors: ['EFBIG'],
  },
  'a read-only folder': {
    begin(folder) {
      const folders = [
        folder,
        ...readdirSync(folder)
          .filter((name) => name === 'data')
          .map((name) => join(folder, name)),
      ]
      for (const path of folders) chmodSync(path, 0o555)
      if (process.getuid!() === 0) process.seteuid!(NOBODY)
      return () => {
        if (process.getuid!() === 0) process.seteuid!(0)
        for (const path of folders) chmodSync(path, 0o755)
      }
    },
    errors: ['EACCES', 'EPERM', 'EROFS'],
  },
  'a folder that vanished': {
    begin(folder) {
      rmSync(folder, { recursive: true })
      return () => {}
    },
    errors: ['ENOENT'],
  },
}

const names = Object.keys(OPERATIONS)
const { begin, errors } = KINDS[kind]!
let refused = 0
for (let round = Number(first); round < Number(first) + Number(count); round++) {
  const name = names[round % names.length]!
  const folder = join(root, String(round))
  mkdirSync(folder)
  try {
    const { run, mustBe } = await OPERATIONS[name]!(folder)
    const before = readdirSync(folder).sort().join()
    const end = begin(folder, randomOf(Number(seed), round).next())
    const error = await run().then(
      () => undefined,
      (thrown: unknown) => thrown as Error,
    )
    end()
    if (error !== undefined) {
      must(error instanceof LayerwiseError, `it failed with ${error.stack}`)
      must(['ERR_FILE', 'ERR_ARGUMENT'].includes(error.code), `its code is ${error.code}: ${error.message}`)
      const { code } = (error.cause ?? {}) as NodeJS.ErrnoException
      must(errors.includes(code ?? ''), `the system's error is ${code}: ${error.message}`)
      refused++
    }
    if (kind === 'a folder that vanished') {
      must(error !== undefined, 'it was done in a folder that is not there')
      mkdirSync(folder)
      const again = await OPERATIONS[name]!(folder)
      await again.run()
      await again.mustBe('new')
    } else {
      await mustBe(error === undefined ? 'new' : 'old')
      const after = readdirSync(folder).sort().join()
      must(after === before, `it left ${after}, of ${before}`)
      await run()
      await mustBe('new')
    }
  } catch (error) {
    throw new Error(`round ${round}, ${name}: ${(error as Error).message}`, { cause: error })
  }
  rmSync(folder, { recursive: true })
}
console.log(`${refused} refused, the others fitted`)
process.exit(0)

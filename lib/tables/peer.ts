// Imported as `module`: see lib/native/load.ts.
import module from 'node:module'
import { isAbsolute, join } from 'node:path'
import { LayerwiseError } from '../base/errors.js'
import { here } from '../native/here.js'

/** A package that is loaded when it is needed, and that the user installs. */
export type Peer = '@duckdb/node-api' | 'apache-arrow' | 'better-sqlite3'

/**
 * The exports of a package that this one can use but does not need. Loaded as CommonJS, from where this code lies or the program starts, so that bundlers
 * leave it outside.
 *
 * @throws {@link LayerwiseError} `ERR_LOAD` naming the package, what needs it, and why it cannot be loaded
 */
export function loadPeer(name: Peer, purpose: string): unknown {
  const failures: unknown[] = []
  for (const from of [here(), process.argv[1] ?? '', join(process.cwd(), 'index.js')]) {
    if (!isAbsolute(from)) continue
    try {
      return requireFrom(module.createRequire(from), name)
    } catch (error) {
      failures.push(error)
    }
  }
  const isAbsent = failures.every((error) => (error as { code?: unknown }).code === 'MODULE_NOT_FOUND')
  const cause =
    failures.find((error) => (error as { code?: unknown }).code !== 'MODULE_NOT_FOUND') ?? failures[0]
  const problem = isAbsent ? `is not installed: npm install ${name}` : `cannot be loaded: ${String(cause)}`
  throw new LayerwiseError(
    'ERR_LOAD',
    `${purpose} needs the package ${name}, which ${problem}`,
    { argument: 'source', expected: `the package ${name}` },
    cause,
  )
}

/** Each name is a literal, so that tools which trace the files of a deployment find the package. */
function requireFrom(requirePeer: NodeJS.Require, name: Peer): unknown {
  switch (name) {
    case '@duckdb/node-api':
      return requirePeer('@duckdb/node-api')
    case 'apache-arrow':
      return requirePeer('apache-arrow')
    case 'better-sqlite3':
      return requirePeer('better-sqlite3')
  }
}

import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { CaseHashes, Hashed } from './hash.js'

const file = fileURLToPath(new URL('./table.json', import.meta.url))
const cmakeFiles = fileURLToPath(new URL('../../build/CMakeFiles', import.meta.url))

/** One hash a case, by the name of the case. */
export type Entry = Readonly<Record<string, string>>
/** By {@link keyOf}. */
export type Table = Readonly<Record<string, Entry>>

/** All that bits may depend on besides the code. */
export function keyOf({ vectors, openblas, kernel }: Hashed): string {
  return `${process.platform}-${process.arch}, ${vectors}, OpenBLAS ${openblas} ${kernel}, ${compiler()}`
}

/** The one that CMake found: two may order or fuse the operations of a loop in two ways. */
function compiler(): string {
  if (!existsSync(cmakeFiles)) return 'unknown compiler'
  const version = readdirSync(cmakeFiles).find((name) => /^\d+\./.test(name)) ?? ''
  const text = readFileSync(`${cmakeFiles}/${version}/CMakeCXXCompiler.cmake`, 'utf8')
  const value = (name: string) =>
    new RegExp(`^set\\(CMAKE_CXX_COMPILER_${name} "(.*)"\\)`, 'm').exec(text)?.[1]
  return `${value('ID')} ${value('VERSION')}`
}

export function readTable(): Table {
  return JSON.parse(readFileSync(file, 'utf8')) as Table
}

/** Adds the entry, or puts it in the place of the one there. */
export function writeEntry(key: string, entry: Entry): void {
  const entries = Object.entries({ ...readTable(), [key]: entry }).sort(([a], [b]) => (a < b ? -1 : 1))
  writeFileSync(file, `${JSON.stringify(Object.fromEntries(entries), null, 2)}\n`)
}

/** @throws Error if a case could not run */
export function entryOf({ cases }: Hashed): Entry {
  return Object.fromEntries(Object.entries(cases).map(([name, hashes]) => [name, shortHash(name, hashes)]))
}

function shortHash(name: string, hashes: CaseHashes): string {
  if ('failed' in hashes) throw new Error(`${name}: ${hashes.failed}`)
  const { parameters, codes, costs } = hashes
  return createHash('sha256').update(`${parameters} ${codes} ${costs}`).digest('hex').slice(0, 12)
}

/**
 * What differs from the table's entry, a line a case, and the cases that it has no hash of: they are newer than the entry, which can only be
 * renewed on a machine of its kind.
 */
export function differencesFrom(entry: Entry, now: Entry): { differing: string[]; added: string[] } {
  const differing = Object.keys(entry).flatMap((name) => {
    if (entry[name] === now[name]) return []
    return [`${name}: ${now[name] === undefined ? 'only in the table' : 'other bits'}`]
  })
  return { differing, added: Object.keys(now).filter((name) => entry[name] === undefined) }
}

/** What differs between two runs of the same cases, a line a case, and what the first could not run. */
export function differences(before: Hashed, now: Hashed): { differing: string[]; skipped: string[] } {
  const differing: string[] = []
  const skipped: string[] = []
  for (const [name, hashes] of Object.entries(now.cases)) {
    const old = before.cases[name]
    if (old === undefined) skipped.push(`${name}: not there`)
    else if ('failed' in old) skipped.push(`${name}: ${old.failed}`)
    else if ('failed' in hashes) differing.push(`${name}: runs no more: ${hashes.failed}`)
    else {
      const parts = (['parameters', 'codes', 'costs'] as const).filter((part) => old[part] !== hashes[part])
      if (parts.length > 0) differing.push(`${name}: other ${parts.join(', ')}`)
    }
  }
  return { differing, skipped }
}

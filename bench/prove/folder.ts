import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

/** A folder in memory, where there is one: for files that need not outlast anything. */
export const MEMORY = existsSync('/dev/shm') ? '/dev/shm' : tmpdir()

/** Does something in a folder of its own, which is removed afterwards, unless it failed: what is in it may show why. */
export async function inFolder<T>(work: (folder: string) => Promise<T>, parent = tmpdir()): Promise<T> {
  const folder = mkdtempSync(join(parent, 'layerwise-prove-'))
  let result: T
  try {
    result = await work(folder)
  } catch (error) {
    if (error instanceof Error && readdirSync(folder).length > 0) error.message += ` (see ${folder})`
    throw error
  }
  rmSync(folder, { recursive: true, force: true })
  return result
}

/** The temporary files in a folder, but for those of one process. */
export function temporaries(folder: string, but?: number): string[] {
  const names = readdirSync(folder).filter((name) => /^\.layerwise-.*\.tmp$/.test(name))
  return names.filter((name) => name.split('-')[2] !== String(but))
}

import { renameSync, rmSync, statSync, truncateSync, utimesSync, writeFileSync } from 'node:fs'

/** What may happen to a file after it was opened. */
export const fileChanges = {
  cut: (file: string) => truncateSync(file, statSync(file).size - 1),
  longer: (file: string) => writeFileSync(file, 'x', { flag: 'a' }),
  changed: (file: string) => utimesSync(file, 1, 1),
  removed: (file: string) => rmSync(file),
  replaced: (file: string) => {
    writeFileSync(`${file}.new`, Buffer.alloc(statSync(file).size))
    renameSync(`${file}.new`, file)
  },
} as const

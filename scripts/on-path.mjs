import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/**
 * Whether one of these programs can be run by its name.
 * @param {string[]} names
 */
export function onPath(...names) {
  const directories = (process.env.PATH ?? '').split(delimiter).filter((directory) => directory !== '')
  return directories.some((directory) =>
    names.some((name) => {
      try {
        accessSync(join(directory, name), constants.X_OK)
        return true
      } catch {
        return false
      }
    }),
  )
}

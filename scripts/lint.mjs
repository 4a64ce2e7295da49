/**
 * Lint and format check of everything: Biome for TypeScript, JavaScript and JSON, clang-format for C++. Then which file may import which,
 * by dependency-cruiser (.dependency-cruiser.mjs). `--fix` writes the automatic corrections.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const fix = process.argv.includes('--fix')

/** @param {string} name @param {string[]} args @returns {boolean} */
function passes(name, args) {
  const program = join(root, 'node_modules', '.bin', name)
  const { status, error } = spawnSync(program, args, { cwd: root, stdio: 'inherit' })
  if (error) console.error(`${error.message}: is it installed? \`npm ci\` installs all of package-lock.json`)
  return status === 0
}

const sources = ['native', 'test/native', 'bench/native'].flatMap((folder) =>
  readdirSync(join(root, folder), { recursive: true, encoding: 'utf8' })
    .filter((file) => /\.(cc|h)$/.test(file))
    .map((file) => join(folder, file)),
)
const results = [
  passes('biome', fix ? ['check', '--write', '.'] : ['check', '.']),
  passes('clang-format', fix ? ['-i', ...sources] : ['--dry-run', '-Werror', ...sources]),
  passes('depcruise', ['lib', 'bench', 'examples', 'scripts', 'test']),
]
process.exit(results.every(Boolean) ? 0 : 1)

import { spawnSync } from 'node:child_process'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { version } from '../lib/base/version.js'
import packageJson from '../package.json' with { type: 'json' }
import { glibcOf, targetOf } from '../scripts/prebuild-inspect.mjs'
import { choosePlatforms, type Platform, platforms } from '../scripts/prebuild-platforms.mjs'
import { type Stage, stage } from '../scripts/release-stage.mjs'

/** Compiling, npm and starts of Node on a busy machine. */
const MOST_MS = 120_000

const root = fileURLToPath(new URL('..', import.meta.url))
const addon = join(root, 'build/Release/layerwise.node')

let folder: string
let staged: Stage
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'layerwise-package-'))
  staged = stage(
    join(folder, 'stage'),
    platforms.map((platform) => ({ platform, files: standIns(platform) })),
  )
}, MOST_MS)
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** Files at the place of a prebuilt addon. */
function standIns({ name, library }: Platform): string {
  const files = join(folder, 'built', name)
  mkdirSync(files, { recursive: true })
  for (const file of [`layerwise.${name}.node`, 'LICENSES.txt', ...(library ? [library] : [])]) {
    writeFileSync(join(files, file), '')
  }
  return files
}

function packedFiles(folder: string): string[] {
  const { stdout } = spawnSync('npm', ['pack', '--dry-run', '--json'], { cwd: folder, encoding: 'utf8' })
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }]
  return files.map(({ path }) => path).sort()
}

function readPackage(folder: string): Record<string, unknown> {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as Record<string, unknown>
}

/** A copy of the main package with its own addon, as in an installation. */
function install(name: string): string {
  const copy = join(folder, name, 'node_modules', 'layerwise')
  cpSync(staged.main, copy, { recursive: true, filter: (path) => !path.startsWith(join(staged.main, 'npm')) })
  mkdirSync(join(copy, 'build/Release'), { recursive: true })
  cpSync(addon, join(copy, 'build/Release/layerwise.node'))
  return join(folder, name)
}

/** Runs a program in a folder, with a plain Node, and returns its output. */
function run(
  where: string,
  file: string,
  program: string,
  env: NodeJS.ProcessEnv = {},
  flags: readonly string[] = [],
): string {
  writeFileSync(join(where, file), program)
  const { stdout, stderr, status } = spawnSync(process.execPath, [...flags, file], {
    cwd: where,
    encoding: 'utf8',
    env: { ...process.env, OPENBLAS_NUM_THREADS: undefined, ...env },
    timeout: MOST_MS,
  })
  if (status !== 0) throw new Error(`${file} ended with ${status}: ${stderr}${stdout}`)
  return stdout.trim()
}

const training = `
  const model = new SparseAutoencoder({ inputs: 3, hidden: 2, seed: 1 })
  await model.fit([[0.1, 0.5, 0.9], [0.8, 0.2, 0.4]], { epochs: 20, batchSize: 2 })
  const codes = JSON.stringify([...(await model.encode([[0.1, 0.5, 0.9]])).data])`

describe('the main package', { timeout: MOST_MS }, () => {
  test('contains the library as one ES module and one CommonJS module with types, and the texts', () => {
    const files = packedFiles(staged.main)
    const others = files.filter((file) => !/^dist\/[a-z-]+(\/[a-z-]+)*\.d\.ts$/.test(file))
    expect(others).toEqual([
      ...['CHANGELOG.md', 'LICENSE', 'README.md'],
      ...['dist/cjs/index.js', 'dist/cjs/package.json', 'dist/index.js', 'package.json'],
    ])
    const sources = readdirSync(join(root, 'lib'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => file.replace(/\.ts$/, '.d.ts'))
    const types = files.filter((file) => file.endsWith('.d.ts'))
    expect(types).toEqual(sources.flatMap((file) => [`dist/${file}`, `dist/cjs/${file}`]).sort())
  })

  test('has declarations for TypeScript from 5.0 on, where typed arrays have no type argument', () => {
    const declarations = readdirSync(join(staged.main, 'dist'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.d.ts'))
      .map((file) =>
        readFileSync(join(staged.main, 'dist', file), 'utf8').replaceAll(/\/\*[\s\S]*?\*\//g, ''),
      )
    expect(declarations.length).toBeGreaterThan(10)
    for (const text of declarations) {
      expect(text).not.toMatch(/\b((Uint|Int|BigInt|BigUint|Float)\d+|Uint8Clamped)Array</)
      expect(text).not.toMatch(/\b(ArrayBufferView|DataView|Buffer)<|\bNoInfer\b/)
    }
  })

  test('runs no install script and depends on one package for each platform, at its own version', () => {
    const described = readPackage(staged.main)
    expect(described).not.toHaveProperty('scripts')
    expect(described).not.toHaveProperty('devDependencies')
    expect(described.optionalDependencies).toEqual(
      Object.fromEntries(platforms.map(({ name }) => [`@layerwise/layerwise-${name}`, packageJson.version])),
    )
  })

  test('has one version, in package.json, in the lock and in the code', () => {
    const lock = JSON.parse(readFileSync(join(root, 'package-lock.json'), 'utf8'))
    expect([version, lock.packages[''].version]).toEqual([packageJson.version, packageJson.version])
  })
})

test.each([
  ['linux-x64-gnu', { os: ['linux'], cpu: ['x64'], libc: ['glibc'] }],
  ['linux-x64-musl', { os: ['linux'], cpu: ['x64'], libc: ['musl'] }],
  ['linux-arm64-gnu', { os: ['linux'], cpu: ['arm64'], libc: ['glibc'] }],
  ['linux-arm64-musl', { os: ['linux'], cpu: ['arm64'], libc: ['musl'] }],
  ['win32-x64-msvc', { os: ['win32'], cpu: ['x64'] }],
  ['darwin-arm64', { os: ['darwin'], cpu: ['arm64'] }],
  ['darwin-x64', { os: ['darwin'], cpu: ['x64'] }],
])(
  'the package of %s names its platform, and contains addon, library and licences',
  { timeout: MOST_MS },
  (name, fits) => {
    const { folder: own } = staged.platforms.find((platform) => platform.name === name)!
    const { os, cpu, libc, main, scripts } = readPackage(own)
    expect({ os, cpu, ...(libc ? { libc } : {}) }).toEqual(fits)
    expect({ main, scripts }).toEqual({ main: `layerwise.${name}.node` })
    const { library } = choosePlatforms([name])[0]!
    const expected = ['LICENSES.txt', 'README.md', `layerwise.${name}.node`, 'package.json']
    expect(packedFiles(own)).toEqual([...expected, ...(library ? [library] : [])].sort())
  },
)

test('a platform that is not built is refused by name', () => {
  expect(() => choosePlatforms(['linux-riscv64'])).toThrow(
    /no platform linux-riscv64: there are linux-x64-gnu, /,
  )
  expect(choosePlatforms(['win32-x64'])[0]!.name).toBe('win32-x64-msvc')
})

test.runIf(process.platform === 'linux')('targetOf and glibcOf read platform and glibc of a binary', () => {
  const binary = readFileSync(addon)
  expect(targetOf(binary)).toBe(`linux-${process.arch}`)
  expect(glibcOf(binary)).toMatch(/^2\.\d+$/)
  expect(glibcOf(Buffer.from('\0GLIBC_2.9\0GLIBC_2.17\0GLIBC_2.2.5\0'))).toBe('2.17')
})

describe('an installed package', { timeout: MOST_MS }, () => {
  let where: string
  beforeAll(() => {
    where = install('installed')
  })

  test('works from CommonJS by import()', () => {
    const program = `import('layerwise').then(({ runtime }) => console.log(runtime().version))`
    expect(run(where, 'common.cjs', program)).toBe(version)
  })

  test('works by require()', () => {
    expect(run(where, 'required.cjs', `console.log(require('layerwise').runtime().version)`)).toBe(version)
  })

  test('works in a program given on the command line, and in its worker threads', () => {
    const program = `import('layerwise').then(({ runtime }) => console.log(runtime().version))`
    const worker = `new (require('node:worker_threads').Worker)(${JSON.stringify(program)}, { eval: true })`
    for (const text of [program, worker]) {
      const { stdout } = spawnSync(process.execPath, ['--eval', text], { cwd: where, encoding: 'utf8' })
      expect(stdout.trim()).toBe(version)
    }
  })

  test('accepts objects of its other copy if a program both imports and requires it', () => {
    const program = `
      import { createRequire } from 'node:module'
      import * as one from 'layerwise'
      const other = createRequire(import.meta.url)('layerwise')
      const x = one.Matrix.from(new Float32Array([0, 1, 1, 0]), 2, 2)
      const model = new other.SparseAutoencoder({ inputs: 2, hidden: 1 })
      console.log((await model.encode(x)).rows, one.runtime().kernel === other.runtime().kernel)`
    expect(run(where, 'both.mjs', program)).toBe('2 true')
  })

  test('is one file, which loads only modules of Node', () => {
    const hooks = `
      import { writeSync } from 'node:fs'
      export async function load(url, context, next) {
        if (!url.startsWith('node:')) writeSync(1, url + '\\n')
        return next(url, context)
      }`
    const program = `
      import { register } from 'node:module'
      register('data:text/javascript,' + encodeURIComponent(${JSON.stringify(hooks)}))
      await import('layerwise')`
    const loaded = run(where, 'loads.mjs', program).split('\n')
    const own = pathToFileURL(realpathSync(join(where, 'node_modules/layerwise/dist/index.js'))).href
    expect(loaded).toEqual([own])
  })

  test('exports what the sources export, under the same names', async () => {
    const sources = Object.entries(await import('../lib/index.js'))
    const program = `
      const exports = Object.entries(await import('layerwise'))
      console.log(JSON.stringify(exports.map(([key, { name }]) => [key, name ?? null]).sort()))`
    const named = sources.map(([key, value]) => [key, (value as { name?: string }).name ?? null])
    expect(JSON.parse(run(where, 'names.mjs', program))).toEqual(named.sort())
  })

  test('starts no thread and loads no addon when it is imported', () => {
    const program = `
      import { readdirSync, readFileSync } from 'node:fs'
      const threads = () => (process.platform === 'linux' ? readdirSync('/proc/self/task').length : 0)
      const before = threads()
      await import('layerwise')
      const maps = process.platform === 'linux' ? readFileSync('/proc/self/maps', 'utf8') : ''
      console.log(threads() - before, maps.includes('layerwise.node'))`
    expect(run(where, 'idle.mjs', program)).toBe('0 false')
  })

  test('trains in the processes of a cluster with the same bits', () => {
    const program = `
      import cluster from 'node:cluster'
      import { SparseAutoencoder } from 'layerwise'
      ${training}
      if (cluster.isPrimary) {
        const theirs = [1, 2].map(() => new Promise((resolve) => cluster.fork().once('message', resolve)))
        console.log((await Promise.all(theirs)).every((other) => other === codes))
      } else {
        process.send(codes, () => process.disconnect())
      }`
    expect(run(where, 'cluster.mjs', program)).toBe('true')
  })

  test('trains beside a second copy of itself in one process', () => {
    const second = install('second')
    const program = `
      const load = async (path) => {
        const { SparseAutoencoder, LayerwiseError } = await import(path)
        ${training}
        return { codes, LayerwiseError }
      }
      const [one, other] = await Promise.all([
        load('layerwise'),
        load(${JSON.stringify(join(second, 'node_modules/layerwise/dist/index.js'))}),
      ])
      console.log(one.codes === other.codes, one.LayerwiseError === other.LayerwiseError)`
    expect(run(where, 'twice.mjs', program)).toBe('true false')
  })

  const permission = process.allowedNodeEnvironmentFlags.has('--permission')
    ? '--permission'
    : '--experimental-permission'
  test.each([
    [['--no-addons'], '--no-addons'],
    [[permission, '--allow-fs-read=*'], '--allow-addons'],
  ])('started with %s names the flag that prevents loading', (flags, named) => {
    const program = `
      import { runtime } from 'layerwise'
      try { runtime() } catch ({ code, message }) { console.log(code, message.split('What to do: ')[1]) }`
    expect(run(where, 'flags.mjs', program, {}, flags)).toMatch(new RegExp(`^ERR_LOAD .*${named}`))
    const allowed = ['--allow-fs-read=*', '--allow-addons']
    if (flags.includes(permission)) {
      expect(
        run(where, 'allowed.mjs', `${program}; console.log('loaded')`, {}, [permission, ...allowed]),
      ).toBe('loaded')
    }
  })

  test.each(['esm', 'cjs'] as const)('can be bundled as %s with the addon outside', async (format) => {
    writeFileSync(
      join(where, 'entry.mjs'),
      `import { runtime } from 'layerwise'
      try { console.log(runtime().version) } catch ({ code, message }) { console.log(code, message) }\n`,
    )
    const { outputFiles } = await build({
      entryPoints: [join(where, 'entry.mjs')],
      bundle: true,
      platform: 'node',
      format,
      external: ['@layerwise/*'],
      write: false,
      logLevel: 'silent',
    })
    const alone = join(folder, `bundled-${format}`)
    mkdirSync(alone, { recursive: true })
    const file = `bundle.${format === 'esm' ? 'mjs' : 'cjs'}`
    const text = outputFiles[0]!.text
    expect(run(alone, file, text, { LAYERWISE_BINARY: addon })).toBe(version)
    expect(run(alone, file, text)).toMatch(/^ERR_LOAD [\s\S]*this program is a bundle/)
  })
})

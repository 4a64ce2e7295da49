import { spawnSync } from 'node:child_process'
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import packageJson from '../package.json' with { type: 'json' }

const root = fileURLToPath(new URL('..', import.meta.url))
const tsx = pathToFileURL(join(root, 'node_modules/tsx/dist/esm/index.mjs')).href
const addon = join(root, 'build/Release/layerwise.node')

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'layerwise-load-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The package.json of a stand-in for the package of this platform. */
const described = '{ "main": "layerwise.node" }'

interface Outcome {
  code?: string
  message?: string
  cause?: string
  value?: unknown
}

/** Runs a function body in a new process, in which nothing is loaded yet; `binding` is that of the given package. */
function inFreshProcess(body: string, env: NodeJS.ProcessEnv = {}, packageRoot = root): Outcome {
  const load = pathToFileURL(join(packageRoot, 'lib/native/load.ts')).href
  const program = `
    const { binding } = await import(${JSON.stringify(load)})
    try {
      const value = await (async () => { ${body} })()
      console.log(JSON.stringify({ value }))
    } catch (error) {
      console.log(JSON.stringify({ code: error.code, message: error.message, cause: String(error.cause) }))
    }`
  const inherited = { ...process.env, LAYERWISE_BINARY: undefined, OPENBLAS_NUM_THREADS: undefined }
  const { stdout, stderr } = spawnSync(
    process.execPath,
    ['--import', tsx, '--input-type=module', '--eval', program],
    { encoding: 'utf8', env: { ...inherited, ...env }, cwd: folder },
  )
  try {
    return JSON.parse(stdout) as Outcome
  } catch {
    throw new Error(`the process said: ${stdout}${stderr}`)
  }
}

/** A file that stands in for the addon: it is loaded the same way. */
function standIn(name: string, text: string): string {
  const path = join(folder, name)
  writeFileSync(path, text)
  return path
}

describe('binding()', () => {
  test('loads the addon of the build and returns the OpenBLAS in use', () => {
    const { value } = inFreshProcess('return binding().runtime()')
    expect(value).toMatchObject({
      openblas: expect.stringMatching(/^\d+\.\d+\.\d+/),
      kernel: expect.stringMatching(/./),
    })
  })

  test('loads once', () => {
    expect(inFreshProcess('return binding() === binding()').value).toBe(true)
  })

  test('loads nothing before the first call', () => {
    const path = standIn('touch.cjs', 'globalThis.loaded = true; exports.runtime = () => {}')
    const body = 'const before = globalThis.loaded ?? false; binding(); return [before, globalThis.loaded]'
    expect(inFreshProcess(body, { LAYERWISE_BINARY: path }).value).toEqual([false, true])
  })

  test('does not change JavaScript’s subnormal numbers', () => {
    expect(inFreshProcess('binding(); return [5e-324].map((x) => x * 1)[0] > 0').value).toBe(true)
  })
})

describe('OPENBLAS_NUM_THREADS', () => {
  const body = 'const { seen } = binding(); return [seen, process.env.OPENBLAS_NUM_THREADS ?? null]'

  test('is 1 while the addon loads and absent again afterwards', () => {
    const path = standIn(
      'env.cjs',
      'exports.seen = process.env.OPENBLAS_NUM_THREADS; exports.runtime = () => {}',
    )
    expect(inFreshProcess(body, { LAYERWISE_BINARY: path }).value).toEqual(['1', null])
  })

  test('is restored', () => {
    const path = standIn(
      'env.cjs',
      'exports.seen = process.env.OPENBLAS_NUM_THREADS; exports.runtime = () => {}',
    )
    const env = { LAYERWISE_BINARY: path, OPENBLAS_NUM_THREADS: '6' }
    expect(inFreshProcess(body, env).value).toEqual(['1', '6'])
  })

  test('is restored if loading fails', () => {
    const failing = 'try { binding() } catch {} return process.env.OPENBLAS_NUM_THREADS'
    const env = { LAYERWISE_BINARY: '/nowhere/layerwise.node', OPENBLAS_NUM_THREADS: '6' }
    expect(inFreshProcess(failing, env).value).toBe('6')
  })
})

describe('ERR_LOAD', () => {
  test('LAYERWISE_BINARY is the only place tried, and is named', () => {
    const { code, message } = inFreshProcess('binding()', { LAYERWISE_BINARY: '/nowhere/layerwise.node' })
    expect(code).toBe('ERR_LOAD')
    expect(message).toContain('- /nowhere/layerwise.node: Cannot find module')
    expect(message).not.toContain('@layerwise/')
    expect(message).toContain('LAYERWISE_BINARY overrules the search')
  })

  test('a file that is no addon is named with the loader’s reason', () => {
    const path = standIn('broken.node', 'no machine code')
    const { code, message, cause } = inFreshProcess('binding()', { LAYERWISE_BINARY: path })
    expect(code).toBe('ERR_LOAD')
    expect(message).toContain(`- ${path}: `)
    expect(cause).toContain(path)
  })

  test.each([
    ['JSON', 'settings.json', '{ "runtime": 1 }'],
    ['a module', 'other.cjs', 'module.exports = null'],
  ])('%s is not accepted as an addon', (_, name, text) => {
    const path = standIn(name, text)
    const { code, message } = inFreshProcess('binding()', { LAYERWISE_BINARY: path })
    expect(code).toBe('ERR_LOAD')
    expect(message).toContain(`- ${path}: it is no addon of layerwise`)
  })

  test.runIf(process.platform === 'linux')(
    'a truncated addon is refused instead of crashing the process',
    () => {
      const path = join(folder, 'half.node')
      const whole = readFileSync(addon)
      writeFileSync(path, whole.subarray(0, whole.length / 2))
      const { code, message } = inFreshProcess('binding()', { LAYERWISE_BINARY: path })
      expect(code).toBe('ERR_LOAD')
      expect(message).toMatch(/the file is damaged: it has \d+ of at least \d+ bytes/)
    },
  )

  test('a clone without a build says what was tried and how to build', () => {
    const clone = bareCopy('clone')
    mkdirSync(join(clone, 'scripts'))
    writeFileSync(join(clone, 'scripts/setup.mjs'), '')
    const { code, message } = inFreshProcess('binding()', {}, clone)
    expect(code).toBe('ERR_LOAD')
    expect(message).toContain(`on ${process.platform}-${process.arch}`)
    expect(message).toContain(join(clone, 'build/Release/layerwise.node'))
    expect(message).toContain(`- ${expectedPackage()}: Cannot find module`)
    expect(message).toContain('npm run setup')
  })

  test('an installed package without its binary says how to install it, without naming a build folder', () => {
    const { message } = inFreshProcess('binding()', {}, bareCopy('installed'))
    expect(message).toContain('npm install --include=optional layerwise')
    expect(message).not.toContain('build/Release')
  })

  test.runIf(process.platform !== 'win32')('a pipe, a device and a folder are refused, not read', () => {
    const pipe = join(folder, 'pipe.node')
    spawnSync('mkfifo', [pipe])
    for (const path of [pipe, '/dev/zero', '/dev/tty']) {
      const { code, message } = inFreshProcess('binding()', { LAYERWISE_BINARY: path })
      expect([code, message]).toEqual([
        'ERR_LOAD',
        expect.stringContaining(`- ${path}: it is not a regular file`),
      ])
    }
    expect(inFreshProcess('binding()', { LAYERWISE_BINARY: folder }).code).toBe('ERR_LOAD')
  })

  test('variables that are set but empty count as unset', () => {
    const env = { LAYERWISE_BINARY: '', LAYERWISE_VECTORS: '', LAYERWISE_THREADS: '' }
    expect(inFreshProcess('return typeof binding().runtime().vectors', env).value).toBe('string')
  })

  test.each([
    ['empty', ''],
    ['text', 'no machine code'],
    ['a few bytes', '\x7fELF'],
    ['gone', undefined],
  ])('if the addon of an installed package is %s, the advice is to install again', (state, content) => {
    const installed = bareCopy(`addon-${state.replaceAll(' ', '-')}`)
    const own = join(installed, 'node_modules', expectedPackage())
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'package.json'), described)
    if (content !== undefined) writeFileSync(join(own, 'layerwise.node'), content)
    const { code, message } = inFreshProcess('binding()', {}, installed)
    expect(code).toBe('ERR_LOAD')
    expect(message).toContain(`npm install --force ${expectedPackage()}`)
  })

  test.each([
    ['addons disabled', 'ERR_DLOPEN_DISABLED', 'Cannot load native addon', '--no-addons'],
    [
      'files that must not be read',
      'ERR_ACCESS_DENIED',
      'Access to this API has been restricted',
      '--allow-fs-read',
    ],
    [
      'a file system without execution',
      'ERR_DLOPEN_FAILED',
      'failed to map segment from shared object',
      'noexec',
    ],
    ['an outcome in Deno', 'NotCapable', 'Requires ffi access to \\"x\\"', '--allow-ffi'],
  ])('%s: the cause is named with a remedy', (_, code, reason, help) => {
    const body = `throw Object.assign(new Error("${reason}"), { code: "${code}" })`
    const { message } = inFreshProcess('binding()', { LAYERWISE_BINARY: standIn('failing.cjs', body) })
    expect(message).toContain(reason.replaceAll('\\', ''))
    expect(message).toMatch(new RegExp(`What to do: .*${help}`))
  })

  test('a single executable is told to set LAYERWISE_BINARY', () => {
    const body = "process.argv[1] = '/$bunfs/root/program'; binding()"
    const { code, message } = inFreshProcess(body, {}, bareCopy('executable'))
    expect(code).toBe('ERR_LOAD')
    expect(message).toMatch(/What to do: this program is one executable.* LAYERWISE_BINARY/)
  })

  test('a bundle is told to keep the addon outside', () => {
    const bundled = bareCopy('bundled')
    writeFileSync(join(bundled, 'package.json'), '{ "name": "of-somebody", "type": "module" }')
    const { message } = inFreshProcess('binding()', {}, bundled)
    expect(message).toContain('What to do: this program is a bundle')
    expect(message).not.toContain('build/Release')
  })

  test('node_modules of another platform are recognised, with the right command', () => {
    const installed = bareCopy('other-platform')
    const other = `@layerwise/layerwise-${otherPlatform()}`
    mkdirSync(join(installed, 'node_modules', other), { recursive: true })
    writeFileSync(join(installed, 'node_modules', other, 'package.json'), '{}')
    const { message } = inFreshProcess('binding()', {}, installed)
    expect(message).toContain(`node_modules was installed for ${otherPlatform()}`)
    expect(message).toContain(`npm install --os=${process.platform} --cpu=${process.arch}`)
  })

  test('if the package of this platform is damaged, the advice is to install again', () => {
    const installed = bareCopy('damaged')
    const own = join(installed, 'node_modules', expectedPackage())
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'package.json'), '{ "main": "index.js" }')
    writeFileSync(join(own, 'index.js'), 'throw new Error("the file is damaged")')
    const { message } = inFreshProcess('binding()', {}, installed)
    expect(message).toContain(`npm install --force ${expectedPackage()}`)
  })

  test('if OpenBLAS is missing beside the addon, the advice is to install again', () => {
    const installed = bareCopy('without-openblas')
    const own = join(installed, 'node_modules', expectedPackage())
    mkdirSync(own, { recursive: true })
    writeFileSync(join(own, 'package.json'), '{ "main": "index.js" }')
    const reason = 'cannot open the library beside the addon, libscipy_openblas.so: No such file'
    writeFileSync(join(own, 'index.js'), `throw new Error("${reason}")`)
    const { message } = inFreshProcess('binding()', {}, installed)
    expect(message).toContain(`- ${expectedPackage()}: ${reason}`)
    expect(message).toContain(`npm install --force ${expectedPackage()}`)
  })

  test('a platform without a binary is told how to build one', () => {
    const body = "Object.defineProperty(process, 'platform', { value: 'sunos' }); binding()"
    const { message } = inFreshProcess(body, {}, bareCopy('unlisted'))
    expect(message).toContain(`there is no binary for sunos-${process.arch}`)
    expect(message).toContain('npm run setup')
  })

  test('the message of an addon that refuses its OpenBLAS is quoted', () => {
    const clone = bareCopy('refused')
    const release = join(clone, 'build/Release/layerwise.node')
    mkdirSync(release, { recursive: true })
    writeFileSync(join(release, 'index.js'), 'throw new Error("this OpenBLAS is a serial build")')
    const { code, message } = inFreshProcess('binding()', {}, clone)
    expect(code).toBe('ERR_LOAD')
    expect(message).toContain(`- ${release}: this OpenBLAS is a serial build`)
    expect(message).toContain('pthread build of OpenBLAS')
  })

  test('if OpenBLAS multiplies wrongly, the variable that helps is named', () => {
    const path = standIn(
      'wrong.cjs',
      'throw new Error("kernel armv9sme multiplies wrongly: OPENBLAS_CORETYPE")',
    )
    const clone = bareCopy('wrong')
    const release = join(clone, 'build/Release/layerwise.node')
    mkdirSync(release, { recursive: true })
    cpSync(path, join(release, 'index.js'))
    expect(inFreshProcess('binding()', {}, clone).message).toMatch(
      /What to do: .*`OPENBLAS_CORETYPE=[A-Z0-9]+`/,
    )
  })

  test('vectors that the processor does not have are refused, and those it has are used', () => {
    const wrong = inFreshProcess('return binding().runtime()', { LAYERWISE_VECTORS: 'sse9' })
    expect(wrong).toMatchObject({
      code: 'ERR_LOAD',
      message: expect.stringContaining("LAYERWISE_VECTORS is 'sse9'"),
    })
    if (process.arch !== 'x64') return
    const { value } = inFreshProcess('return binding().runtime()', { LAYERWISE_VECTORS: 'baseline' })
    expect(value).toMatchObject({ vectors: 'baseline' })
  })

  test('a failed load is tried again at the next call', () => {
    const body = `
      try { binding() } catch {}
      process.env.LAYERWISE_BINARY = ${JSON.stringify(addon)}
      return typeof binding().runtime`
    expect(inFreshProcess(body, { LAYERWISE_BINARY: '/nowhere/layerwise.node' }).value).toBe('function')
  })
})

/** What @napi-rs/cli would name the package of this platform: `napi.packageName` and the platform. */
function expectedPackage(): string {
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } }
  const libc = header.glibcVersionRuntime === undefined ? 'musl' : 'gnu'
  const abi = { linux: `-${libc}`, win32: '-msvc' }[process.platform as string] ?? ''
  return `${packageJson.napi.packageName}-${process.platform}-${process.arch}${abi}`
}

function otherPlatform(): string {
  return expectedPackage().endsWith('darwin-arm64') ? 'win32-x64-msvc' : 'darwin-arm64'
}

/** The loader alone in its own package, without an addon. */
function bareCopy(name: string): string {
  const copy = join(folder, name)
  const native = ['load.ts', 'here.ts', 'load-error.ts', 'platform.ts', 'whole-file.ts'].map(
    (name) => `lib/native/${name}`,
  )
  for (const file of [...native, 'lib/base/errors.ts', 'lib/base/show.ts', 'package.json']) {
    cpSync(join(root, file), join(copy, file))
  }
  return copy
}

import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { findOpenblas } from '../scripts/openblas.mjs'

const addon = fileURLToPath(new URL('../build/Release/layerwise.node', import.meta.url))
const { library, prefix } = findOpenblas().found!

/** Only there can OpenBLAS choose Prescott; a build with prefixed symbols hides the functions that choose again. */
const possible = process.platform === 'linux' && process.arch === 'x64' && prefix === ''
const hasAvx2 = possible && /\bavx2\b/.test(readFileSync('/proc/cpuinfo', 'utf8'))

/** Lets OpenBLAS begin as it does on a processor that it takes for a Pentium 4. */
const STAND_IN = `
#include <cstdlib>
extern "C" void gotoblas_dynamic_quit();
extern "C" void gotoblas_dynamic_init();
__attribute__((constructor)) static void begin() {
  const char* wish = std::getenv("OPENBLAS_CORETYPE");
  if (wish != nullptr && *wish != 0) return;
  setenv("OPENBLAS_CORETYPE", "Prescott", 1);
  gotoblas_dynamic_quit();
  gotoblas_dynamic_init();
  unsetenv("OPENBLAS_CORETYPE");
}
`

interface Found {
  readonly runtime: { readonly kernel: string; readonly kernelReason: string }
  /** The variable afterwards, as child processes inherit it. */
  readonly inherited: string
}

describe.runIf(possible)('if OpenBLAS chooses a kernel below the processor’s vector level', () => {
  let folder: string
  let standIn: string
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'layerwise-kernel-'))
    standIn = join(folder, 'stand-in.so')
    writeFileSync(join(folder, 'stand-in.cc'), STAND_IN)
    const { status, stderr } = spawnSync(
      process.env.CXX ?? 'c++',
      ['-shared', '-fPIC', '-o', standIn, join(folder, 'stand-in.cc'), library],
      { encoding: 'utf8' },
    )
    if (status !== 0) throw new Error(stderr)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  function loaded(body: (load: string) => string, env: NodeJS.ProcessEnv): Found {
    const load = `{
      const runtime = require(${JSON.stringify(addon)}).runtime()
      const inherited = require('node:child_process').execSync('echo "$OPENBLAS_CORETYPE"', { encoding: 'utf8' }).trim()
      console.log(JSON.stringify({ runtime, inherited }))
    }`
    const { stdout, stderr } = spawnSync(process.execPath, ['--eval', body(load)], {
      encoding: 'utf8',
      env: { ...process.env, OPENBLAS_CORETYPE: '', LD_PRELOAD: standIn, ...env },
    })
    if (stdout === '') throw new Error(stderr)
    return JSON.parse(stdout) as Found
  }

  const places = {
    'on the main thread': (load: string) => load,
    'in a worker thread': (load: string) =>
      `new (require('node:worker_threads').Worker)(${JSON.stringify(load)}, { eval: true })`,
  }
  for (const [place, body] of Object.entries(places)) {
    test.runIf(hasAvx2)(
      `a better one is used ${place}, runtime() gives the reason, and the environment does not change`,
      () => {
        const { runtime, inherited } = loaded(body, {})
        expect(['SkylakeX', 'Haswell', 'Zen']).toContain(runtime.kernel)
        expect(runtime.kernelReason).toMatch(/would take Prescott, which is less than this processor can do/)
        expect(inherited).toBe('')
      },
    )

    test(`the one that OPENBLAS_CORETYPE names is used ${place}`, () => {
      const { runtime, inherited } = loaded(body, { OPENBLAS_CORETYPE: 'Prescott' })
      expect(runtime).toMatchObject({ kernel: 'Prescott', kernelReason: 'OPENBLAS_CORETYPE is Prescott' })
      expect(inherited).toBe('Prescott')
    })
  }
})

test('runtime() says if the kernel is the choice of OpenBLAS', () => {
  const { stdout } = spawnSync(
    process.execPath,
    ['--print', `require(${JSON.stringify(addon)}).runtime().kernelReason`],
    {
      encoding: 'utf8',
      env: { ...process.env, OPENBLAS_CORETYPE: '' },
    },
  )
  // Another reason would be that its choice multiplies wrongly here, or is too little.
  expect(stdout).toMatch(/^(OpenBLAS's own choice|OpenBLAS .* by itself would take )/)
})

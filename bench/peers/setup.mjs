/**
 * Installs the peers, of exactly these versions, into build-peers/: a Python environment by requirements.txt, and onnxruntime-node.
 *
 *   npm run bench:peers -- --setup
 *
 * PYTHON names another interpreter than python3; it must have the version below, venv, and be able to build with a C++ compiler, which
 * torch.compile calls.
 */
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const folder = join(root, 'build-peers')
const onnxruntime = 'onnxruntime-node@1.30.0'
const leastMinor = 12

/** @param {string[]} command @param {NodeJS.ProcessEnv} [env] */
function run([program = '', ...args], env = {}) {
  const { status, error } = spawnSync(program, args, {
    stdio: ['ignore', 2, 2],
    env: { ...process.env, ...env },
  })
  if (error) throw error
  if (status !== 0) throw new Error(`stopped, because this failed: ${[program, ...args].join(' ')}`)
}

/** @param {string} python */
function checkPython(python) {
  const { stdout } = spawnSync(python, ['-c', 'import sys; print(*sys.version_info[:2])'], {
    encoding: 'utf8',
  })
  const [major = 0, minor = 0] = (stdout ?? '').trim().split(' ').map(Number)
  if (major === 3 && minor >= leastMinor) return
  throw new Error(`${python}: expected Python 3.${leastMinor} or newer; PYTHON names another`)
}

/** Packages in build-peers/ are kept; missing ones and those of another version are installed. */
export function setUpPeers() {
  mkdirSync(folder, { recursive: true })
  const python = process.env.PYTHON ?? 'python3'
  const venv = join(folder, 'venv')
  const own = join(venv, 'bin', 'python')
  if (!existsSync(own)) {
    checkPython(python)
    run([python, '-m', 'venv', venv])
  }
  const requirements = fileURLToPath(new URL('./requirements.txt', import.meta.url))
  run([own, '-m', 'pip', 'install', '--no-input', '--quiet', '--requirement', requirements])
  const npm = process.env.npm_execpath ? [process.execPath, process.env.npm_execpath] : ['npm']
  const quiet = ['--no-audit', '--no-fund', '--no-save']
  // Its install script would fetch GPU libraries.
  run([...npm, 'install', '--prefix', join(folder, 'node'), ...quiet, onnxruntime], {
    ONNXRUNTIME_NODE_INSTALL: 'skip',
  })
}

import { spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { Matrix } from '../../lib/index.js'

/** Another package that finds principal components. */
export interface Peer {
  readonly name: 'numpy' | 'scikit-learn'
  readonly version: string
}

/** A Python process with the same rows, which fits them on request. */
export interface Peers {
  readonly peers: readonly Peer[]
  /** Seconds it took, and the largest variances it found. */
  fit(name: Peer['name']): Promise<{ seconds: number; variances: readonly number[] }>
  close(): void
}

const script = fileURLToPath(new URL('./pca_peers.py', import.meta.url))

/** Undefined where `PYTHON`, by default python3, is missing or has no numpy. */
export async function startPeers(rows: Matrix, threads: number): Promise<Peers | undefined> {
  const python = process.env.PYTHON ?? 'python3'
  if (spawnSync(python, ['-c', 'import numpy'], { stdio: 'ignore' }).status !== 0) return undefined
  const folder = mkdtempSync(join(tmpdir(), 'layerwise-bench-'))
  const file = join(folder, 'rows')
  const { data, rows: count, cols, scale } = rows
  writeFileSync(file, data)
  const kind = data instanceof Uint8Array ? 'uint8' : 'float32'
  const limits = {
    OPENBLAS_NUM_THREADS: `${threads}`,
    OMP_NUM_THREADS: `${threads}`,
    MKL_NUM_THREADS: `${threads}`,
  }
  const child = spawn(python, [script, file, kind, `${count}`, `${cols}`, `${scale}`], {
    stdio: ['pipe', 'pipe', 'inherit'],
    env: { ...process.env, ...limits },
  })
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const answer = async () => {
    const { value, done } = await lines.next()
    if (done) throw new Error(`${script} ended`)
    return JSON.parse(value)
  }
  const versions = (await answer()) as { numpy: string; sklearn: string | null }
  return {
    peers: [
      { name: 'numpy', version: versions.numpy },
      ...(versions.sklearn === null ? [] : [{ name: 'scikit-learn' as const, version: versions.sklearn }]),
    ],
    fit: (name) => {
      child.stdin.write(`${name}\n`)
      return answer()
    },
    close: () => {
      child.kill()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}
